namespace "dev" {
  lifecycle = { prevent_destroy = true }
}
