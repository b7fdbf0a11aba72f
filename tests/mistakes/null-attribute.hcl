variable "limits" {
  type    = object({ cpu = string })
  default = null
}

locals {
  cpu = var.limits.cpu
}
