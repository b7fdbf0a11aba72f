terrane {
  environment = "along"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

manifest "team" {
  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata   = { name = "along" }
  }
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "along" }
  }
}

manifest "widgets" {
  object = {
    apiVersion = "apiextensions.k8s.io/v1"
    kind       = "CustomResourceDefinition"
    metadata   = { name = "widgets.example.com" }
    spec = {
      group = "example.com"
      names = { plural = "widgets", singular = "widget", kind = "Widget" }
      scope = "Namespaced"
      versions = [{
        name    = "v1"
        served  = true
        storage = true
        schema  = { openAPIV3Schema = { type = "object" } }
      }]
    }
  }
}
