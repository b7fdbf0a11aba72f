# Plans of a part, and plans that ask for more than their records call for.
terrane {
  environment = "part"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

namespace "a" {
  name = "part-a"
}

namespace "b" {
  name = "part-b"
}

manifest "one" {
  object {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata {
      name      = "one"
      namespace = namespace.a.name
    }
    data = { x = "1" }
  }
}

# Selects nothing: a plan warns of it, and so does that of a part which it is in.
manifest "service" {
  object {
    apiVersion = "v1"
    kind       = "Service"
    metadata {
      name      = "one"
      namespace = namespace.a.name
    }
    spec {
      selector = { app = "one" }
      ports    = [{ port = 80 }]
    }
  }
}

output "name" {
  value = namespace.b.name
}
