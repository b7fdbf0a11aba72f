terrane {
  environment = "bad"
}

cluster "main" {
  context  = "prod-eu"
  platform = "k3s"
}

namespace "dev" {
}
