# Workloads that do not become ready, each for another reason.

terrane {
  environment = "not-ready"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "trouble" {
  type    = string
  default = "crash"
}

namespace "shop" {
}

locals {
  shop = namespace.shop.name
  template = {
    metadata = {
      labels      = { app = "shop" }
      annotations = { "sandbox.terrane.dev/pods" = var.trouble }
    }
    spec = { containers = [{ name = "main", image = "shop:1.0" }] }
  }
}

manifest "migrate" {
  object = {
    apiVersion = "batch/v1"
    kind       = "Job"
    metadata   = { name = "migrate", namespace = local.shop }
    spec = {
      backoffLimit = 0
      template     = merge(local.template, { spec = merge(local.template.spec, { restartPolicy = "Never" }) })
    }
  }
}

manifest "web" {
  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = local.shop }
    spec = {
      replicas                = 2
      progressDeadlineSeconds = 3
      selector                = { matchLabels = { app = "shop" } }
      template                = local.template
    }
  }
}

manifest "db" {
  timeouts {
    apply = "8s"
  }

  object = {
    apiVersion = "apps/v1"
    kind       = "StatefulSet"
    metadata   = { name = "db", namespace = local.shop }
    spec = {
      serviceName = "db"
      selector    = { matchLabels = { app = "shop" } }
      template    = merge(local.template, { metadata = merge(local.template.metadata, { annotations = { "sandbox.terrane.dev/pods" = "never-ready" } }) })
    }
  }
}
