namespace "dev" {
  name: "dev"
}
