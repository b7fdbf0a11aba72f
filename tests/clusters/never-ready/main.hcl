terrane {
  environment = "interrupted"
  state "local" {}
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
        metadata = { labels = { app = "web" } }
        spec = {
          # There is none of this name: the pods stay pending.
          schedulerName = "nobody"
          containers    = [{ name = "web", image = "web:1.0" }]
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
