locals {
  zones = [
    "a"
    "b"
  ]
}
