terrane {
  environment = "interrupted"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}

manifest "web" {
  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = namespace.dev.name }
    spec = {
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = {
          labels      = { app = "web" }
          annotations = { "sandbox.terrane.dev/pods" = "never-ready" }
        }
        spec = {
          containers = [{ name = "web", image = "web:1.0" }]
        }
      }
    }
  }
}

manifest "after" {
  depends_on = [manifest.web]

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "after", namespace = namespace.dev.name }
  }
}
