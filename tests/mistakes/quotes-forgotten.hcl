namespace "dev" {
  labels = { team = web }
}
