locals {
  text = <<-EOT
    hello
}
