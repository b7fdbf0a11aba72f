terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

manifest "a" {
  object = {
    apiVersion = "v1"
    metadata   = { name = "a", namespace = "dev" }
  }
}
