terrane {
  environment = "secret"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "rotation" {
  default = "first"
}

variable "licence" {
  ephemeral = true
}

namespace "team" {
}

secret "database" {
  namespace = namespace.team.name
  data      = { user = "app", licence = var.licence }
  generate = {
    password = { length = 24, special = false }
    pepper   = {}
  }
  keepers = { rotation = var.rotation }
}

manifest "url" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata = {
      name      = "url"
      namespace = namespace.team.name
    }
    stringData = { password = secret.database.data.password }
  }
}
