locals {
  teams = [{ name = "a" }, { name = "b" }]
}

namespace "team" {
  for_each = toset(local.teams)
  name     = each.value.name
}
