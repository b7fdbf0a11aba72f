terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

chart "web" {
  version = "1.0.0"
}
