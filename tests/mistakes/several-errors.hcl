namespace "dev" {
  name =
}

locals {
  zones = ["a" "b"]
  image = nginx:1.27
}

namespace "prod" {
  labels: {}
}
