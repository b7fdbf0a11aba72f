# An object that another one owns: the cluster deletes it with its owner.
terrane {
  environment = "owned"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "team" {}

manifest "owner" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "owner", namespace = namespace.team.name }
  }
}

read "ConfigMap" "owner" {
  name       = "owner"
  namespace  = namespace.team.name
  depends_on = [manifest.owner]
}

manifest "kept" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "kept"
      namespace = namespace.team.name
      ownerReferences = [{
        apiVersion = "v1"
        kind       = "ConfigMap"
        name       = "owner"
        uid        = read.ConfigMap.owner.metadata.uid
      }]
    }
  }
}
