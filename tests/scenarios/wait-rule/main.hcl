# A kind that nobody but its rule knows.

terrane {
  environment = "wait-rule"
  state "local" {}

  wait "Widget.example.com" {
    failed  = "self.status.phase == 'Broken'"
    current = "self.status.phase == 'Ready' && self.status.parts.all(part, part.ready)"
  }
}

cluster "main" {
  sandbox = true
}

variable "size" {
  type    = number
  default = 1
}

namespace "shop" {
}

manifest "kind" {
  object = {
    apiVersion = "apiextensions.k8s.io/v1"
    kind       = "CustomResourceDefinition"
    metadata   = { name = "widgets.example.com" }
    spec = {
      group = "example.com"
      scope = "Namespaced"
      names = { kind = "Widget", plural = "widgets", singular = "widget", listKind = "WidgetList" }
      versions = [{
        name         = "v1"
        served       = true
        storage      = true
        subresources = { status = {} }
        schema = { openAPIV3Schema = {
          type       = "object"
          properties = { spec = { type = "object", x-kubernetes-preserve-unknown-fields = true }, status = { type = "object", x-kubernetes-preserve-unknown-fields = true } }
        } }
      }]
    }
  }
}

manifest "widget" {
  timeouts {
    create = "2s"
    update = "7s"
  }

  object = {
    apiVersion = "example.com/v1"
    kind       = "Widget"
    metadata   = { name = "one", namespace = namespace.shop.name }
    spec       = { size = var.size }
  }
}

manifest "after" {
  depends_on = [manifest.widget]

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "after", namespace = namespace.shop.name }
  }
}
