terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

kustomization "web" {
  path = "apps/web"
}
