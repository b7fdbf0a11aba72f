namespace "dev" {
}

namespace "prod" {
  depends_on = ["namespace.dev"]
}
