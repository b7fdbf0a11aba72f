namespace "env" {
  for_each = ["dev", "prod"]
}
