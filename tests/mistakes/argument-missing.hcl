manifest "settings" {
}
