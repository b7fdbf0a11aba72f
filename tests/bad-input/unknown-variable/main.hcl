terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

variable "team" {
  type    = string
  default = "a"
}

namespace "dev" {
  labels = { team = var.taem }
}
