terrane {
  environment = "web"
}

namespace "dev" {
}
