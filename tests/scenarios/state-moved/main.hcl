terrane {
  environment = "moved"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}
