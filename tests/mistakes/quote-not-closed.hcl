namespace "dev" {
  name   = "dev
  labels = { team = "web" }
}
