# Argo CD and the Applications that it delivers.
#
# On a sandbox nothing runs, so a stand-in with the same kinds and names is installed: the custom resource
# definitions, accounts, settings and workloads that the rest of an environment refers to.

variable "version" {
  type        = string
  description = "Version of Argo CD, without a leading v: \"3.5.7\"."

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+", var.version))
    error_message = "a version has three numbers, like \"3.5.7\""
  }

  validation {
    condition     = cluster.platform == "sandbox"
    error_message = "only the stand-in for a sandbox can be installed: bundles of upstream releases are not supported yet"
  }
}

variable "namespace" {
  type        = string
  default     = "argocd"
  description = "Namespace of Argo CD; the module creates it."
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "Labels of the namespace."
}

variable "project" {
  type        = string
  default     = "default"
  description = "AppProject of the Applications that name none."
}

variable "application" {
  type = map(object({
    path       = string
    namespace  = string
    repository = optional(string)
    revision   = optional(string)
    project    = optional(string)
    server     = optional(string, "https://kubernetes.default.svc")
    automated  = optional(bool, true)
    prune      = optional(bool, false)
    self_heal  = optional(bool, false)
    labels     = optional(map(string), {})
  }))
  default     = {}
  description = "Applications by name: `path` in `repository` (default: this repository's remote) at `revision` (default: the branch checked out), delivered into `namespace`; `automated = false` leaves the sync to a person."

  validation {
    condition     = alltrue([for app in var.application : app.repository != null || repository.url != null])
    error_message = "an Application needs a repository: this one has no remote"
  }
}

locals {
  image = "quay.io/argoproj/argocd:v${var.version}"

  kinds = {
    Application = "applications"
    AppProject  = "appprojects"
  }

  components = {
    "argocd-server" = {
      kind = "Deployment"
      port = 8080
      args = ["argocd-server"]
    }
    "argocd-repo-server" = {
      kind = "Deployment"
      port = 8081
      args = ["argocd-repo-server"]
    }
    "argocd-application-controller" = {
      kind = "StatefulSet"
      port = 8082
      args = ["argocd-application-controller"]
    }
  }

  settings = {
    "argocd-cm"            = {}
    "argocd-cmd-params-cm" = {}
    "argocd-rbac-cm"       = { "policy.default" = "role:readonly" }
  }
}

manifest "namespace" {
  object = {
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name   = var.namespace
      labels = var.labels
    }
  }
}

manifest "definition" {
  for_each = local.kinds

  object = {
    apiVersion = "apiextensions.k8s.io/v1"
    kind       = "CustomResourceDefinition"
    metadata = {
      name = "${each.value}.argoproj.io"
    }
    spec = {
      group = "argoproj.io"
      scope = "Namespaced"
      names = {
        kind     = each.key
        listKind = "${each.key}List"
        plural   = each.value
        singular = lower(each.key)
      }
      versions = [{
        name    = "v1alpha1"
        served  = true
        storage = true
        schema = {
          openAPIV3Schema = {
            type     = "object"
            required = ["spec"]
            properties = {
              spec = {
                type                                   = "object"
                "x-kubernetes-preserve-unknown-fields" = true
              }
              status = {
                type                                   = "object"
                "x-kubernetes-preserve-unknown-fields" = true
              }
              operation = {
                type                                   = "object"
                "x-kubernetes-preserve-unknown-fields" = true
              }
            }
          }
        }
      }]
    }
  }
}

manifest "account" {
  for_each = local.components

  object = {
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata = {
      name      = each.key
      namespace = manifest.namespace.name
    }
  }
}

manifest "settings" {
  for_each = local.settings

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = each.key
      namespace = manifest.namespace.name
      labels    = { "app.kubernetes.io/part-of" = "argocd" }
    }
    data = length(each.value) > 0 ? each.value : null
  }
}

manifest "component" {
  for_each   = local.components
  depends_on = [manifest.settings]

  object = {
    apiVersion = "apps/v1"
    kind       = each.value.kind
    metadata = {
      name      = each.key
      namespace = manifest.namespace.name
      labels    = { "app.kubernetes.io/part-of" = "argocd" }
    }
    spec = {
      replicas    = 1
      serviceName = each.value.kind == "StatefulSet" ? each.key : null
      selector    = { matchLabels = { "app.kubernetes.io/name" = each.key } }
      template = {
        metadata = { labels = { "app.kubernetes.io/name" = each.key } }
        spec = {
          serviceAccountName = manifest.account[each.key].name
          containers = [{
            name  = each.key
            image = local.image
            args  = each.value.args
            ports = [{ containerPort = each.value.port }]
            resources = {
              requests = { cpu = "100m", memory = "128Mi" }
              limits   = { memory = "512Mi" }
            }
          }]
        }
      }
    }
  }
}

manifest "service" {
  for_each = local.components

  object = {
    apiVersion = "v1"
    kind       = "Service"
    metadata = {
      name      = each.key
      namespace = manifest.namespace.name
    }
    spec = {
      selector = { "app.kubernetes.io/name" = each.key }
      ports    = [{ port = each.value.port, targetPort = each.value.port }]
    }
  }
}

manifest "project" {
  depends_on = [manifest.definition]

  object = {
    apiVersion = "argoproj.io/v1alpha1"
    kind       = "AppProject"
    metadata = {
      name      = var.project
      namespace = manifest.namespace.name
    }
    spec = {
      sourceRepos  = ["*"]
      destinations = [{ namespace = "*", server = "*" }]
    }
  }
}

manifest "application" {
  for_each   = var.application
  depends_on = [manifest.component]

  object = {
    apiVersion = "argoproj.io/v1alpha1"
    kind       = "Application"
    metadata = {
      name      = each.key
      namespace = manifest.namespace.name
      labels    = each.value.labels
    }
    spec = {
      project = coalesce(each.value.project, manifest.project.name)
      source = {
        repoURL        = coalesce(each.value.repository, repository.url)
        targetRevision = coalesce(each.value.revision, repository.revision, "HEAD")
        path           = each.value.path
      }
      destination = {
        server    = each.value.server
        namespace = each.value.namespace
      }
      syncPolicy = each.value.automated ? {
        automated = { prune = each.value.prune, selfHeal = each.value.self_heal }
      } : null
    }
  }
}

output "engine" {
  value       = "argocd"
  description = "What delivers: for the `deliver` argument of an app."
}

output "namespace" {
  value       = manifest.namespace.name
  description = "Namespace of Argo CD and of its Applications."
}

output "project" {
  value       = manifest.project.name
  description = "AppProject of the Applications that name none."
}

output "version" {
  value       = var.version
  description = "Version of Argo CD."
}
