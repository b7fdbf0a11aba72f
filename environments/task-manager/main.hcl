# Task manager: two namespaces on one cluster, Argo CD that delivers the same app into both from overlays of one
# base, and a small monitoring stack.

terrane {
  environment = "task-manager"

  state "local" {}
}

variable "context" {
  type        = string
  default     = null
  description = "Context of the kubeconfig to install to. Default: the embedded sandbox."
}

variable "deliver" {
  type        = bool
  default     = true
  description = "Whether Argo CD delivers the app from Git; if not, the overlays are applied directly."
}

variable "repository" {
  type        = string
  default     = "https://example.com/task-manager-gitops.git"
  description = "URL of the repository that Argo CD reads; its root is this directory."
}

variable "revision" {
  type        = string
  default     = "main"
  description = "Branch that Argo CD follows."
}

locals {
  labels = {
    cluster      = "single-cluster"
    "managed-by" = "argocd"
  }

  quotas = {
    dev = {
      "requests.cpu"    = "1"
      "requests.memory" = "1Gi"
      "limits.memory"   = "2Gi"
      pods              = 10
    }
    prod = {
      "requests.cpu"    = "4"
      "requests.memory" = "4Gi"
      "limits.memory"   = "8Gi"
      pods              = 20
    }
  }
}

cluster "main" {
  sandbox  = var.context == null
  context  = var.context
  platform = var.context == null ? "sandbox" : "kubernetes"
}

namespace "env" {
  for_each = local.quotas
  labels   = local.labels
  quota    = each.value

  # The quota rejects pods that state no requests or limits.
  limits = {
    default         = { memory = "256Mi" }
    default_request = { cpu = "50m", memory = "64Mi" }
  }
}

argocd "main" {
  version = "3.5.7"
}

app "task-manager" {
  for_each   = toset(["dev", "prod"])
  namespace  = namespace.env[each.key].name
  overlay    = "${path.root}/apps/task-manager/overlays/${each.key}"
  deliver    = var.deliver ? argocd.main : null
  labels     = local.labels
  repository = var.repository
  revision   = var.revision
  path       = "apps/task-manager/overlays/${each.key}"
}

monitoring "main" {
  retention = "7d"
  storage   = "5Gi"
}

output "applications" {
  value       = [for app in app.task-manager : app.name]
  description = "Applications of Argo CD."
}

output "monitoring" {
  value       = monitoring.main.url
  description = "Addresses of the monitoring stack inside the cluster."
}
