# One of each kind that a controller acts on.

terrane {
  environment = "workloads"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "image" {
  type    = string
  default = "shop:1.0"
}

namespace "shop" {
  quota = {
    "requests.cpu"         = "4"
    pods                   = 20
    persistentvolumeclaims = 3
  }
  limits = {
    default_request = { cpu = "100m" }
  }
}

locals {
  shop = namespace.shop.name
  pod = { for name in ["db", "agent", "web", "migrate", "report"] : name => {
    metadata = { labels = { app = name } }
    spec     = { containers = [{ name = "main", image = var.image }] }
  } }
}

manifest "db" {
  object = {
    apiVersion = "apps/v1"
    kind       = "StatefulSet"
    metadata   = { name = "db", namespace = local.shop }
    spec = {
      replicas    = 2
      serviceName = "db"
      selector    = { matchLabels = { app = "db" } }
      template    = local.pod.db
      volumeClaimTemplates = [{
        metadata = { name = "data" }
        spec = {
          accessModes = ["ReadWriteOnce"]
          resources   = { requests = { storage = "1Gi" } }
        }
      }]
    }
  }
}

manifest "uploads" {
  object = {
    apiVersion = "v1"
    kind       = "PersistentVolumeClaim"
    metadata   = { name = "uploads", namespace = local.shop }
    spec = {
      accessModes = ["ReadWriteOnce"]
      resources   = { requests = { storage = "1Gi" } }
    }
  }
}

manifest "migrate" {
  depends_on = [manifest.db]

  object = {
    apiVersion = "batch/v1"
    kind       = "Job"
    metadata   = { name = "migrate", namespace = local.shop }
    spec       = { template = { spec = merge(local.pod.migrate.spec, { restartPolicy = "Never" }) } }
  }
}

manifest "report" {
  object = {
    apiVersion = "batch/v1"
    kind       = "CronJob"
    metadata   = { name = "report", namespace = local.shop }
    spec = {
      schedule    = "0 4 1 1 *"
      jobTemplate = { spec = { template = { spec = merge(local.pod.report.spec, { restartPolicy = "OnFailure" }) } } }
    }
  }
}

manifest "agent" {
  object = {
    apiVersion = "apps/v1"
    kind       = "DaemonSet"
    metadata   = { name = "agent", namespace = local.shop }
    spec = {
      selector = { matchLabels = { app = "agent" } }
      template = local.pod.agent
    }
  }
}

manifest "web" {
  depends_on = [manifest.migrate]

  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = local.shop }
    spec = {
      replicas = 2
      selector = { matchLabels = { app = "web" } }
      template = local.pod.web
    }
  }
}

manifest "web_service" {
  object = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "web", namespace = local.shop }
    spec = {
      type     = "LoadBalancer"
      selector = { app = "web" }
      ports    = [{ port = 80 }]
    }
  }
}

manifest "web_scaling" {
  object = {
    apiVersion = "autoscaling/v2"
    kind       = "HorizontalPodAutoscaler"
    metadata   = { name = "web", namespace = local.shop }
    spec = {
      minReplicas    = 2
      maxReplicas    = 5
      scaleTargetRef = { apiVersion = "apps/v1", kind = "Deployment", name = "web" }
    }
  }
}

manifest "web_budget" {
  object = {
    apiVersion = "policy/v1"
    kind       = "PodDisruptionBudget"
    metadata   = { name = "web", namespace = local.shop }
    spec = {
      minAvailable = 1
      selector     = { matchLabels = { app = "web" } }
    }
  }
}
