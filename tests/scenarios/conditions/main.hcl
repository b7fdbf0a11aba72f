terrane {
  environment = "conditions"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "mode" {
  type    = string
  default = "strict"
}

variable "phase" {
  type    = string
  default = "Active"
}

variable "bundle" {
  type    = string
  default = "ca.crt"
}

variable "least" {
  type    = number
  default = 10
}

manifest "team" {
  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata   = { name = "team" }
  }

  lifecycle {
    postcondition {
      condition     = self.status.phase == var.phase
      error_message = "The namespace is ${self.status.phase}, not ${var.phase}."
    }
  }
}

# Every namespace gets it from the cluster: here, from one that this definition creates.
read "ConfigMap" "ca" {
  name      = "kube-root-ca.crt"
  namespace = manifest.team.name
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "settings"
      namespace = manifest.team.name
    }
    data = { mode = var.mode }
  }

  lifecycle {
    precondition {
      condition     = contains(["strict", "lax"], var.mode)
      error_message = "There is no mode ${var.mode}."
    }
    precondition {
      condition     = contains(keys(read.ConfigMap.ca.data), var.bundle)
      error_message = "The cluster has no ${var.bundle}."
    }
  }
}

manifest "copy" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "copy"
      namespace = manifest.team.name
    }
  }

  lifecycle {
    replace_triggered_by = [manifest.settings.data.mode]
  }
}

output "mode" {
  value = manifest.settings.object.data.mode

  precondition {
    condition     = var.least < 100000
    error_message = "Nothing is that long."
  }
}

check "bundle" {
  read "ConfigMap" "bundle" {
    name      = "kube-root-ca.crt"
    namespace = manifest.team.name
  }

  assert {
    condition     = length(read.ConfigMap.bundle.metadata.name) >= var.least
    error_message = "The name is shorter than ${var.least}."
  }
}

check "other" {
  read "ConfigMap" "other" {
    name      = "other"
    namespace = "kube-system"
  }

  assert {
    condition     = read.ConfigMap.other.data.ready == "yes"
    error_message = "It is not ready."
  }
}
