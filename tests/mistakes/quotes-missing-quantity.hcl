namespace "dev" {
  quota = {
    "requests.memory" = 64Gi
  }
}
