terrane {
  environment = "moved"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}
