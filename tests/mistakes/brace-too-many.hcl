namespace "dev" {
}
}
