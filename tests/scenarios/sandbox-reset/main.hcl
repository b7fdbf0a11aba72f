terrane {
  environment = "reset"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}
