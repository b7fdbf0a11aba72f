terrane {
  environment = "reset"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}
