namespace "dev" {
  name = "web-${terraform.workspace}"
}
