namespace "dev" {
  labels =
}
