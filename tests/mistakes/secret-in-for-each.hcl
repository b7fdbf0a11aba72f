variable "tokens" {
  default   = ["s3cr3t"]
  sensitive = true
}

namespace "dev" {
  for_each = toset(var.tokens)
}
