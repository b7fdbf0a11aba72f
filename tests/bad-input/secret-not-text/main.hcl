terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

manifests "all" {
  files = ["objects.yaml"]
}

manifest "limits" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "limits", namespace = "default" }
    stringData = { retries = 3 }
  }
}
