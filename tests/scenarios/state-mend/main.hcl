terrane {
  environment = "mend"
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

manifest "texts" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "texts", namespace = namespace.shop.name }
    data       = { hello = "hello" }
  }
}
