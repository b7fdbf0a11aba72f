# An app from a Kustomize overlay: applied directly, or delivered by Argo CD from Git.

variable "overlay" {
  type        = string
  description = "Directory of the overlay, from the repository's root: \"apps/web/overlays/prod\"."
}

variable "namespace" {
  type        = string
  default     = null
  description = "Namespace of the app's objects. Default: what the overlay says; needed with `deliver`."

  validation {
    condition     = var.deliver == null || var.namespace != null
    error_message = "an app that is delivered needs a namespace"
  }
}

variable "images" {
  type        = map(string)
  default     = {}
  description = "Images to put on top: name => new tag, new name or both: { web = \"v2\", db = \"registry/db:v3\" }."
}

variable "replicas" {
  type        = map(number)
  default     = {}
  description = "Replicas to put on top, by workload."
}

variable "deliver" {
  type        = any
  default     = null
  description = "What delivers the app: `argocd.NAME`. Default: Terrane applies the overlay itself."

  validation {
    condition     = var.deliver == null || try(var.deliver.engine, null) == "argocd"
    error_message = "`deliver` takes a block of type argocd"
  }
}

variable "name" {
  type        = string
  default     = null
  description = "Name of the Application. Default: the block's name, with the instance key behind it."
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "Labels of the Application."
}

variable "repository" {
  type        = string
  default     = null
  description = "URL of the Git repository to deliver from. Default: the remote of this repository."

  validation {
    condition     = var.deliver == null || var.repository != null || repository.url != null
    error_message = "an app that is delivered needs a repository: this one has no remote"
  }
}

variable "revision" {
  type        = string
  default     = null
  description = "Branch, tag or commit to deliver. Default: the branch checked out."
}

variable "path" {
  type        = string
  default     = null
  description = "Directory in the repository to deliver. Default: the overlay's."
}

variable "project" {
  type        = string
  default     = null
  description = "AppProject of the Application. Default: that of `deliver`."
}

variable "server" {
  type        = string
  default     = "https://kubernetes.default.svc"
  description = "API server to deliver to. Default: the cluster that Argo CD runs on."
}

variable "automated" {
  type        = bool
  default     = true
  description = "Whether Argo CD syncs by itself; if not, a person does."
}

variable "prune" {
  type        = bool
  default     = false
  description = "Whether an automated sync deletes what the overlay no longer has."
}

variable "self_heal" {
  type        = bool
  default     = false
  description = "Whether an automated sync also undoes changes made in the cluster."
}

locals {
  name = var.name != null ? var.name : self.key == null ? self.name : "${self.name}-${self.key}"

  # Argo CD takes "name=new", where new is a name with a tag; a tag alone goes behind the name.
  images = [
    for name, new in var.images : strcontains(new, "/") || strcontains(new, ":") ? "${name}=${new}" : "${name}=${name}:${new}"
  ]
  replicas = [for name, count in var.replicas : { name = name, count = count }]

  kustomize = merge(
    length(local.images) > 0 ? { images = local.images } : {},
    length(local.replicas) > 0 ? { replicas = local.replicas } : {},
  )
}

kustomization "objects" {
  count = var.deliver == null ? 1 : 0

  path      = var.overlay
  namespace = var.namespace
  images    = var.images
  replicas  = var.replicas
}

manifest "application" {
  count = var.deliver == null ? 0 : 1

  object = {
    apiVersion = "argoproj.io/v1alpha1"
    kind       = "Application"
    metadata = {
      name      = local.name
      namespace = var.deliver.namespace
      labels    = var.labels
    }
    spec = {
      project = coalesce(var.project, var.deliver.project)
      source = {
        repoURL        = coalesce(var.repository, repository.url)
        targetRevision = coalesce(var.revision, repository.revision, "HEAD")
        path           = coalesce(var.path, var.overlay)
        kustomize      = length(local.kustomize) > 0 ? local.kustomize : null
      }
      destination = {
        server    = var.server
        namespace = var.namespace
      }
      syncPolicy = var.automated ? {
        automated = { prune = var.prune, selfHeal = var.self_heal }
      } : null
    }
  }
}

output "name" {
  value       = local.name
  description = "Name of the app."
}

output "namespace" {
  value       = var.namespace
  description = "Namespace of the app's objects, if it was given."
}
