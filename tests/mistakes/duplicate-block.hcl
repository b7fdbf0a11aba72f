namespace "dev" {
}

namespace "dev" {
}
