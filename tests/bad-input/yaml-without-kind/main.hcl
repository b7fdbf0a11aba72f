terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

manifests "all" {
  files = ["objects.yaml"]
}
