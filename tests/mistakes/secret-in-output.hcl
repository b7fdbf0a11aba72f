variable "password" {
  default   = "s3cr3t"
  sensitive = true
}

output "login" {
  value = "admin:${var.password}"
}
