terrane {
  environment = "refactoring"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "team" {
}

manifest "old" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "settings"
      namespace = namespace.team.name
    }
    data = { mode = "strict" }
  }
}

manifest "handed" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "handed"
      namespace = namespace.team.name
      labels    = { team = "a" }
    }
    data = { level = "1" }
  }
}

manifest "dropped" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "dropped"
      namespace = namespace.team.name
    }
  }
}
