# A namespace with its quota, the defaults of its containers and its network rules.

variable "name" {
  type        = string
  default     = null
  description = "Name of the namespace. Default: the instance key of the block, or else the block's name."
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "Labels of the namespace."
}

variable "annotations" {
  type        = map(string)
  default     = {}
  description = "Annotations of the namespace."
}

variable "quota" {
  type        = map(string)
  default     = {}
  description = "Hard limits of the ResourceQuota, by resource: { \"requests.cpu\" = \"20\", pods = 100 }. Empty: no quota."
}

variable "limits" {
  type = object({
    default         = optional(map(string), {})
    default_request = optional(map(string), {})
    max             = optional(map(string), {})
    min             = optional(map(string), {})
  })
  default     = null
  description = "What containers get that state no requests or limits, and the bounds of those that do (LimitRange). A quota on CPU or memory rejects pods without them."
}

variable "default_deny" {
  type        = bool
  default     = false
  description = "Refuse all traffic of the namespace's pods but DNS; further NetworkPolicies allow what is needed."
}

locals {
  name = coalesce(var.name, self.key, self.name)

  # Empty maps are left out: the API server drops them, and a field that is never read back is never settled.
  limits = var.limits == null ? {} : {
    default        = var.limits.default
    defaultRequest = var.limits.default_request
    max            = var.limits.max
    min            = var.limits.min
  }
}

manifest "namespace" {
  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name        = local.name
      labels      = var.labels
      annotations = var.annotations
    }
  }
}

manifest "quota" {
  count = length(var.quota) > 0 ? 1 : 0

  object = {
    apiVersion = "v1"
    kind       = "ResourceQuota"
    metadata = {
      name      = "quota"
      namespace = local.name
    }
    spec = {
      hard = var.quota
    }
  }
}

manifest "limits" {
  count = var.limits == null ? 0 : 1

  object = {
    apiVersion = "v1"
    kind       = "LimitRange"
    metadata = {
      name      = "limits"
      namespace = local.name
    }
    spec = {
      limits = [merge({ type = "Container" }, { for field, map in local.limits : field => map if length(map) > 0 })]
    }
  }
}

manifest "default_deny" {
  count = var.default_deny ? 1 : 0

  object = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata = {
      name      = "default-deny"
      namespace = local.name
    }
    spec = {
      podSelector = {}
      policyTypes = ["Ingress", "Egress"]
    }
  }
}

manifest "allow_dns" {
  count = var.default_deny ? 1 : 0

  object = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata = {
      name      = "allow-dns"
      namespace = local.name
    }
    spec = {
      podSelector = {}
      policyTypes = ["Egress"]
      egress = [{
        to = [{
          namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = "kube-system" } }
          podSelector       = { matchLabels = { "k8s-app" = "kube-dns" } }
        }]
        ports = [
          { protocol = "UDP", port = 53 },
          { protocol = "TCP", port = 53 },
        ]
      }]
    }
  }
}

output "name" {
  value       = local.name
  description = "Name of the namespace."
}
