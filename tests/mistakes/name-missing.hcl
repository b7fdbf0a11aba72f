manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { namespace = "web" }
    data       = { level = "1" }
  }
}
