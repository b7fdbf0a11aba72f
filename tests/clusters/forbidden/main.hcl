terrane {
  environment = "forbidden"
  state "local" {}
}

cluster "main" {
  context    = "terrane-sandbox"
  kubeconfig = "kubeconfig.yaml"
  platform   = "k3s"
}

manifest "settings" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "default" }
  }
}
