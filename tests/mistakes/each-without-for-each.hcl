namespace "dev" {
  name = each.key
}
