terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

manifest "a" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "a", namespace = "dev" }
    data       = { other = manifest.b.name }
  }
}

manifest "b" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "b", namespace = "dev" }
    data       = { other = manifest.c.name }
  }
}

manifest "c" {
  depends_on = [manifest.a]

  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "c", namespace = "dev" }
  }
}
