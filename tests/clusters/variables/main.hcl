terrane {
  environment = "variables"
}

cluster "main" {
  sandbox = true
}

variable "level" {
  type = string
}

variable "password" {
  type      = string
  sensitive = true
  default   = "first"
}

namespace "dev" {
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "settings"
      namespace = namespace.dev.name
    }
    data = {
      level = var.level
    }
  }
}

manifest "credentials" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata = {
      name      = "credentials"
      namespace = namespace.dev.name
    }
    stringData = {
      password = var.password
    }
  }
}

output "level" {
  value = var.level
}
