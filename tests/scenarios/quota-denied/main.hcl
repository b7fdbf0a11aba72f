# A quota lets one of two pods be made.

terrane {
  environment = "quota-denied"
  accept      = ["TRN0801"]
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "shop" {
  quota = {
    pods = 1
  }
}

manifest "db" {
  timeouts {
    create = "20s"
  }

  object = {
    apiVersion = "apps/v1"
    kind       = "StatefulSet"
    metadata   = { name = "db", namespace = namespace.shop.name }
    spec = {
      replicas    = 2
      serviceName = "db"
      selector    = { matchLabels = { app = "db" } }
      template = {
        metadata = { labels = { app = "db" } }
        spec     = { containers = [{ name = "main", image = "shop:1.0" }] }
      }
    }
  }
}
