variable "name" {
  default = "one"
}

terrane {
  environment = var.name
  state "local" {
    branch = "states"
  }
}

cluster "main" {
  sandbox = true
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings-${var.name}", namespace = "default" }
    data       = { owner = var.name }
  }
}
