
manifest "widget" {
  object = {
    apiVersion = "example.com/v1"
    kind       = "Widget"
    metadata   = { name = "widget", namespace = namespace.dev.name }
    spec       = { size = 3 }
  }
}
