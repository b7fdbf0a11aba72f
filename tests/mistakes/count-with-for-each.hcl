namespace "env" {
  count    = 2
  for_each = toset(["dev"])
}
