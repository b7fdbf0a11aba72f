terrane {
  environment = "web"
  accept      = ["TRN0601"]
}

cluster "main" {
  sandbox = true
}
