terrane {
  environment = "crash"
  state "git" {
    remote = "origin"
  }
}

variable "password" {
  type      = string
  sensitive = true
}

variable "which" {
  type    = string
  default = "first"
}

variable "namespace" {
  type    = string
  default = "dev"
}

cluster "main" {
  context = "crash"
}

manifest "dev" {
  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata   = { name = var.namespace }
  }
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = manifest.dev.object.metadata.name }
    data       = { which = var.which }
  }
}

manifest "credentials" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "credentials", namespace = manifest.dev.object.metadata.name }
    stringData = { password = "${var.which}-${var.password}" }
  }
}

manifest "web" {
  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = manifest.dev.object.metadata.name }
    spec = {
      replicas = var.which == "first" ? 1 : 2
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

manifest "fixed" {
  depends_on = [manifest.web]

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "fixed", namespace = manifest.dev.object.metadata.name }
    immutable  = true
    data       = { which = var.which }
  }
}

manifest "only" {
  for_each = toset([var.which])

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = each.key, namespace = manifest.dev.object.metadata.name }
  }
}
