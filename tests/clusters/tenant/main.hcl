terrane {
  environment = "tenant"
  state "local" {}
}

cluster "main" {
  context    = "terrane-sandbox"
  kubeconfig = "kubeconfig.yaml"
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "tenant" }
  }
}

manifest "web" {
  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = "tenant" }
    spec = {
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" } }
        spec     = { containers = [{ name = "web", image = "web:1.0" }] }
      }
    }
  }
}
