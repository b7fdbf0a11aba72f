terrane {
  environment = "recover"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "shop" {
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = namespace.shop.name }
    data       = { colour = "blue" }
  }
}

secret "login" {
  namespace = namespace.shop.name
  generate  = { password = { length = 20 } }
}

output "namespace" {
  value = namespace.shop.name
}
