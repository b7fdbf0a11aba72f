terrane {
  environment = "conflict"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "default" }
    data       = { level = "info", size = "small" }
  }
}
