terrane {
  environment = "preview"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}
