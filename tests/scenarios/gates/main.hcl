# Two clusters in waves with gates between them: a soak, a check, an approval.
terrane {
  environment = "gates"
}

cluster "canary" {
  sandbox = true
}

cluster "prod" {
  sandbox = true
}

rollout "all" {
  wave "canary" {
    clusters = [cluster.canary]
    soak     = "1s"
    checks   = [check.flag]
  }
  wave "prod" {
    clusters = [cluster.prod]
    approval = true
  }
}

check "flag" {
  read "ConfigMap" "flag" {
    cluster   = cluster.canary
    name      = "flag"
    namespace = "web"
  }
  assert {
    condition     = read.ConfigMap.flag.data.well == "yes"
    error_message = "the canary is not well"
  }
}

variable "well" {
  type    = string
  default = "yes"
}

namespace "canary" {
  cluster = cluster.canary
  name    = "web"
}

manifest "flag" {
  cluster = cluster.canary
  object {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata {
      name      = "flag"
      namespace = namespace.canary.name
    }
    data = { well = var.well }
  }
}

namespace "prod" {
  cluster = cluster.prod
  name    = "web"
}

# A cluster in two rollouts waits for both: this one, which asks for nothing, opens no gate of the other.
rollout "zone" {
  wave "everything" {
    clusters = [cluster.prod]
  }
}
