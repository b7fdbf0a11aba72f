terrane {
  environment = "inputs"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "tier" {
  type       = string
  default    = "none"
  deprecated = "use tiers"
}

variable "tiers" {
  type    = map(string)
  default = {}

  validation {
    condition     = length(var.tiers) < 4
    error_message = "at most three tiers"
  }
}

manifest "settings" {
  object {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata {
      name      = "settings"
      namespace = "default"
      dynamic "labels" {
        for_each = var.tier == "none" ? [] : [var.tier]
        content {
          tier = labels.value
        }
      }
    }
    data = { for name, value in var.tiers : name => value }
  }
}

output "tiers" {
  value = var.tiers
}
