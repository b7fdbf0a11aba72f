terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  for_each = ["a", "b"]
}
