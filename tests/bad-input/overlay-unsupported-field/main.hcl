terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

kustomization "web" {
  path = "web"
}
