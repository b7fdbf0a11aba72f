terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

manifest "a" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "same", namespace = "dev" }
  }
}

manifest "b" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "same", namespace = "dev" }
  }
}
