terrane {
  environment = "foreign"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  labels = { team = "a" }
}
