manifest "settings" {
  object = {
    apiVersion = "V1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "web" }
    data       = { level = "1" }
  }
}
