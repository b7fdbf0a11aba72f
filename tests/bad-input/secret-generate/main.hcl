terrane {
  environment = "secret-generate"
}

cluster "main" {
  sandbox = true
}

secret "database" {
  namespace = "default"
  generate  = { password = { lenght = 32 } }
}
