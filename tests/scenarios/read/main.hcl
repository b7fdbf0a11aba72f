terrane {
  environment = "read"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "team" {
}

# Every namespace gets it from the cluster: here, from one that this definition creates.
read "ConfigMap" "ca" {
  name      = "kube-root-ca.crt"
  namespace = namespace.team.name
}

manifest "trust" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "trust"
      namespace = namespace.team.name
    }
    data = {
      "bundle.crt" = read.ConfigMap.ca.data["ca.crt"]
      source       = read.ConfigMap.ca.metadata.name
      mode         = "strict"
    }
  }
}
