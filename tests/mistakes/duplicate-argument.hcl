namespace "dev" {
  name = "dev"
  name = "prod"
}
