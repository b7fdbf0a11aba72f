manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "configmap"
    metadata   = { name = "settings", namespace = "web" }
    data       = { level = "1" }
  }
}
