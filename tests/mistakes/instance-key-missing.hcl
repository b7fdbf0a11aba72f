namespace "env" {
  for_each = toset(["dev", "prod"])
}

output "name" {
  value = namespace.env.name
}
