namespace "dev" {
  name = "dev",
}
