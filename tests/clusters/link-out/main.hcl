terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

site "main" {
  name = "a"
}
