variable "image_tag" {
  default = "v1"
}

namespace "dev" {
  labels = { tag = var.imagetag }
}
