namespace "dev" {
  labels = { team = "web" }

namespace "prod" {
}
