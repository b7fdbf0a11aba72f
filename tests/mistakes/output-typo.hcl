namespace "dev" {
}

output "name" {
  value = namespace.dev.nmae
}
