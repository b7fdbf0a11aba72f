manifest "settings" {
  object = {
    apiVersion = "apps/v1/"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "web" }
    data       = { level = "1" }
  }
}
