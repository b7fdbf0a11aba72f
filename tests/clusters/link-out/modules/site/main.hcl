variable "name" {
  type        = string
  description = "Name."
}

manifest "page" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = var.name, namespace = "dev" }
    data       = { page = file("${path.module}/page.txt") }
  }
}
