terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

variable "team" {
  type        = string
  description = "Who owns the namespace."
}

namespace "dev" {
  labels = { team = var.team }
}
