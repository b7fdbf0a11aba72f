# A small monitoring stack: Prometheus with its storage, Alertmanager and Grafana.

variable "namespace" {
  type        = string
  default     = "monitoring"
  description = "Namespace of the stack."
}

variable "create_namespace" {
  type        = bool
  default     = true
  description = "Whether the module creates the namespace."
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "Labels of the namespace."
}

variable "retention" {
  type        = string
  default     = "30d"
  description = "How long Prometheus keeps samples: a number and one of h, d, w, y."

  validation {
    condition     = can(regex("^[1-9][0-9]*[hdwy]$", var.retention))
    error_message = "a retention is a number and one of h, d, w, y: \"30d\""
  }
}

variable "storage" {
  type        = string
  default     = "10Gi"
  description = "Size of the volume of Prometheus."
}

variable "storage_class" {
  type        = string
  default     = null
  description = "StorageClass of the volume. Default: the cluster's default class."
}

variable "scrape_interval" {
  type        = string
  default     = "30s"
  description = "How often Prometheus scrapes."
}

variable "replicas" {
  type = object({
    alertmanager = optional(number, 1)
    grafana      = optional(number, 1)
  })
  default     = {}
  description = "Replicas of Alertmanager and Grafana. Prometheus has one: its volume is written by one pod."
}

variable "images" {
  type = object({
    prometheus   = optional(string, "quay.io/prometheus/prometheus:v3.5.0")
    alertmanager = optional(string, "quay.io/prometheus/alertmanager:v0.28.1")
    grafana      = optional(string, "docker.io/grafana/grafana:12.1.0")
  })
  default     = {}
  description = "Images of each part."
}

locals {
  namespace = var.create_namespace ? manifest.namespace[0].name : var.namespace

  parts = {
    prometheus = {
      kind      = "StatefulSet"
      port      = 9090
      args      = ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus", "--storage.tsdb.retention.time=${var.retention}"]
      mount     = "/etc/prometheus"
      data      = "/prometheus"
      ready     = "/-/ready"
      resources = { cpu = "200m", memory = "512Mi" }
    }
    alertmanager = {
      kind      = "StatefulSet"
      port      = 9093
      args      = ["--config.file=/etc/alertmanager/alertmanager.yml"]
      mount     = "/etc/alertmanager"
      data      = null
      ready     = "/-/ready"
      resources = { cpu = "50m", memory = "64Mi" }
    }
    grafana = {
      kind      = "Deployment"
      port      = 3000
      args      = null
      mount     = "/etc/grafana/provisioning/datasources"
      data      = null
      ready     = "/api/health"
      resources = { cpu = "100m", memory = "128Mi" }
    }
  }

  settings = {
    prometheus = {
      "prometheus.yml" = k8s::tera("templates/prometheus.yml.tera", {
        scrape_interval = var.scrape_interval
        alertmanagers   = ["alertmanager:9093"]
      })
    }
    alertmanager = {
      "alertmanager.yml" = yamlencode({
        route     = { receiver = "none" }
        receivers = [{ name = "none" }]
      })
    }
    grafana = {
      "prometheus.yaml" = yamlencode({
        apiVersion  = 1
        datasources = [{ name = "Prometheus", type = "prometheus", url = "http://prometheus:9090", isDefault = true }]
      })
    }
  }
}

manifest "namespace" {
  count = var.create_namespace ? 1 : 0

  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name   = var.namespace
      labels = var.labels
    }
  }
}

manifest "account" {
  object = {
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata = {
      name      = "prometheus"
      namespace = local.namespace
    }
  }
}

manifest "role" {
  object = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRole"
    metadata = {
      name = "${local.namespace}-prometheus"
    }
    rules = [{
      apiGroups = [""]
      resources = ["endpoints", "pods", "services"]
      verbs     = ["get", "list", "watch"]
    }]
  }
}

manifest "binding" {
  object = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRoleBinding"
    metadata = {
      name = "${local.namespace}-prometheus"
    }
    roleRef = {
      apiGroup = "rbac.authorization.k8s.io"
      kind     = "ClusterRole"
      name     = manifest.role.name
    }
    subjects = [{
      kind      = "ServiceAccount"
      name      = manifest.account.name
      namespace = local.namespace
    }]
  }
}

manifest "settings" {
  for_each = local.settings

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = each.key
      namespace = local.namespace
    }
    data = each.value
  }
}

# A claim of its own and not a template of the StatefulSet: so it is planned, and deleted with everything else.
manifest "storage" {
  object = {
    apiVersion = "v1"
    kind       = "PersistentVolumeClaim"
    metadata = {
      name      = "prometheus"
      namespace = local.namespace
    }
    spec = {
      accessModes      = ["ReadWriteOnce"]
      storageClassName = var.storage_class
      resources        = { requests = { storage = var.storage } }
    }
  }
}

manifest "part" {
  for_each = local.parts

  object = {
    apiVersion = "apps/v1"
    kind       = each.value.kind
    metadata = {
      name      = each.key
      namespace = local.namespace
      labels    = { "app.kubernetes.io/name" = each.key }
    }
    spec = {
      replicas    = lookup(var.replicas, each.key, 1)
      serviceName = each.value.kind == "StatefulSet" ? each.key : null
      selector    = { matchLabels = { "app.kubernetes.io/name" = each.key } }
      template = {
        metadata = {
          labels = { "app.kubernetes.io/name" = each.key }
          # A change of the settings rolls the pods.
          annotations = { "settings/sha256" = sha256(jsonencode(local.settings[each.key])) }
        }
        spec = {
          serviceAccountName = each.key == "prometheus" ? manifest.account.name : null
          containers = [{
            name           = each.key
            image          = var.images[each.key]
            args           = each.value.args
            ports          = [{ name = "http", containerPort = each.value.port }]
            readinessProbe = { httpGet = { path = each.value.ready, port = "http" } }
            resources = {
              requests = each.value.resources
              limits   = { memory = each.value.resources.memory }
            }
            volumeMounts = concat(
              [{ name = "settings", mountPath = each.value.mount }],
              each.value.data == null ? [] : [{ name = "data", mountPath = each.value.data }],
            )
          }]
          volumes = concat(
            [{ name = "settings", configMap = { name = manifest.settings[each.key].name } }],
            each.value.data == null ? [] : [{ name = "data", persistentVolumeClaim = { claimName = manifest.storage.name } }],
          )
        }
      }
    }
  }
}

manifest "service" {
  for_each = local.parts

  object = {
    apiVersion = "v1"
    kind       = "Service"
    metadata = {
      name      = each.key
      namespace = local.namespace
    }
    spec = {
      selector = { "app.kubernetes.io/name" = each.key }
      ports    = [{ name = "http", port = each.value.port, targetPort = "http" }]
    }
  }
}

output "namespace" {
  value       = local.namespace
  description = "Namespace of the stack."
}

output "url" {
  value       = { for name, part in local.parts : name => "http://${name}.${local.namespace}:${part.port}" }
  description = "Addresses inside the cluster, by part."
}
