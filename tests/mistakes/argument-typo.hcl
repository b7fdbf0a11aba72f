namespace "dev" {
  lables = { team = "web" }
}
