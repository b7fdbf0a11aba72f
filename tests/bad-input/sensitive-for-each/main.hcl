terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

variable "teams" {
  type      = set(string)
  default   = ["a"]
  sensitive = true
}

namespace "team" {
  for_each = var.teams
}
