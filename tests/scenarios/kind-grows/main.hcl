terrane {
  environment = "grows"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

manifests "gates" {
  files = ["*.yaml"]
}
