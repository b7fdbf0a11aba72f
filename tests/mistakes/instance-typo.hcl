namespace "env" {
  for_each = toset(["dev", "prod"])
}

output "name" {
  value = namespace.env["prd"].name
}
