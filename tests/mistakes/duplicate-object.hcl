manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "web" }
    data       = { a = "1" }
  }
}

manifest "again" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "web" }
    data       = { b = "1" }
  }
}
