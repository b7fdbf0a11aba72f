namespace “dev” {
  name = “dev”
}
