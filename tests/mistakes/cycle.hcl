manifest "a" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "a", namespace = "web" }
    data       = { other = manifest.b.name }
  }
}

manifest "b" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "b", namespace = "web" }
    data       = { other = manifest.a.name }
  }
}
