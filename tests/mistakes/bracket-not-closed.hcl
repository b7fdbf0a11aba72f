locals {
  zones = ["a", "b"
  size  = 3
}
