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

output "name" {
  value = namespace.b.name
}
