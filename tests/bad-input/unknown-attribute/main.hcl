terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  label = { team = "a" }
}
