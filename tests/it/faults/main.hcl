terrane {
  environment = "faults"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  quota = { pods = "10" }
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = namespace.dev.name }
    data       = { which = "WHICH" }
  }
}

manifest "credentials" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "credentials", namespace = namespace.dev.name }
    stringData = { password = "CANARY", which = "WHICH" }
  }
}

manifest "web" {
  timeouts {
    apply  = "1s"
    delete = "1s"
  }

  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = namespace.dev.name }
    spec = {
      replicas = REPLICAS
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" } }
        spec = {
          containers = [{
            name    = "web"
            image   = "web:1"
            envFrom = [{ configMapRef = { name = "settings" } }, { secretRef = { name = "credentials" } }]
          }]
        }
      }
    }
  }
}

read "Deployment" "web" {
  api_version = "apps/v1"
  name        = "web"
  namespace   = namespace.dev.name
  depends_on  = [manifest.web]
}

manifest "copy" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "copy", namespace = namespace.dev.name }
    data       = { ready = tostring(read.Deployment.web.status.readyReplicas) }
  }
}

manifest "crd" {
  timeouts {
    apply  = "1s"
    delete = "1s"
  }

  object = {
    apiVersion = "apiextensions.k8s.io/v1"
    kind       = "CustomResourceDefinition"
    metadata   = { name = "widgets.example.com" }
    spec = {
      group = "example.com"
      scope = "Namespaced"
      names = { kind = "Widget", plural = "widgets", singular = "widget", listKind = "WidgetList" }
      versions = [{
        name    = "v1"
        served  = true
        storage = true
        schema = {
          openAPIV3Schema = {
            type       = "object"
            properties = { spec = { type = "object", properties = { size = { type = "integer" } } } }
          }
        }
      }]
    }
  }
}

output "ready" {
  value = read.Deployment.web.status.readyReplicas
}
