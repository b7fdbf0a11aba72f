terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
  labels = { team = "a"
}

variable "size" {
  default = = 3
}
