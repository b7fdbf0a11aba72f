terrane {
  environment = "foreign"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  labels = { team = "a" }
}
