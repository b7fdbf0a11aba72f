terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespce "dev" {
}
