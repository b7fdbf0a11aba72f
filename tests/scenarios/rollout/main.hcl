# Two clusters in waves: what goes wrong on the first one never reaches the second.
terrane {
  environment = "rollout"
}

cluster "canary" {
  sandbox = true
}

cluster "prod" {
  sandbox = true
}

rollout "all" {
  wave "canary" {
    clusters = [cluster.canary]
  }
  wave "prod" {
    clusters = [cluster.prod]
  }
}

variable "pods" {
  type    = number
  default = 1
}

namespace "canary" {
  cluster = cluster.canary
  name    = "web"
  quota   = { pods = var.pods }
}

manifest "pod" {
  cluster = cluster.canary
  object {
    apiVersion = "v1"
    kind       = "Pod"
    metadata {
      name      = "web"
      namespace = namespace.canary.name
    }
    spec {
      containers = [{
        name      = "web"
        image     = "web:1"
        resources = { requests = { cpu = "10m", memory = "10Mi" }, limits = { cpu = "10m", memory = "10Mi" } }
      }]
    }
  }
}

namespace "prod" {
  cluster = cluster.prod
  name    = "web"
}
