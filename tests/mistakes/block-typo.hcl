namespace "dev" {
}

output "name" {
  value = namespace.dve.name
}
