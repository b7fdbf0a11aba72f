# A first environment: one namespace with a quota, Argo CD and an app, on the embedded sandbox.

terrane {
  environment = "quickstart"
  state "local" {}
}

variable "image_tag" {
  type        = string
  default     = "1.27"
  description = "Tag of the app's image."
}

cluster "main" {
  sandbox  = true
  platform = "sandbox" # argocd is a stand-in, wherever this cluster's context leads
}

namespace "dev" {
  labels = { team = "hello" }
  quota = {
    "requests.cpu"    = "2"
    "requests.memory" = "2Gi"
    pods              = 10
  }
}

argocd "main" {
  version = "3.5.7"
}

app "hello" {
  namespace = namespace.dev.name
  overlay   = "${path.root}/apps/hello/overlays/dev"
  images    = { nginx = var.image_tag }
}

output "namespace" {
  value = namespace.dev.name
}
