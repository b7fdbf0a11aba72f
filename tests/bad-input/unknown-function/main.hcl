terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  labels = { team = uper("a") }
}
