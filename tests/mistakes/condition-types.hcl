locals {
  zones = true ? ["a"] : "a"
}
