terrane {
  environment = "ephemeral-kept"
}

cluster "main" {
  sandbox = true
}

variable "token" {
  default   = "t0ken"
  ephemeral = true
}

output "token" {
  value     = upper(var.token)
  sensitive = true
}
