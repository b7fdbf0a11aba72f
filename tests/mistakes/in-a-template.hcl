variable "tag" {
  default = "v1"
}

locals {
  image = "registry.example.com/web:${var.tga}"
}
