terrane {
  environment = "exported"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "tag" {
  type    = string
  default = "1.0"
}

manifest "team" {
  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata   = { name = "exported" }
  }
}

manifest "web" {
  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata = {
      name              = "web"
      namespace         = "exported"
      creationTimestamp = "2026-01-02T03:04:05Z"
      generation        = 4
      resourceVersion   = "1234"
      uid               = "0b7f2f1e-3a86-4d0c-9df5-4c2b8a2f6a10"
      annotations       = { "deployment.kubernetes.io/revision" = "3" }
    }
    spec = {
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" }, creationTimestamp = null }
        spec     = { containers = [{ name = "web", image = "web:${var.tag}" }] }
      }
    }
    status = { replicas = 1 }
  }
}
