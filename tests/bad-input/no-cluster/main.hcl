terrane {
  environment = "bad"
}

namespace "dev" {
}
