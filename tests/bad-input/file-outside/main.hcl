terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  labels = { config = file("../../secrets.txt") }
}
