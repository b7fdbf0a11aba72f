terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

variable "replicas" {
  type    = number
  default = "three"
}

namespace "dev" {
  labels = ["a", "b"]
}
