namespace "dev" {
}
