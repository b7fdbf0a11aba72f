terrane {
  environment = "preview"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}
