terrane {
  environment = "Web Shop"
}

cluster "main" {
  sandbox = true
}
