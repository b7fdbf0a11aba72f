variable "name" {
  default = "dev"
}

namespace "dev" {
  name = ${var.name}
}
