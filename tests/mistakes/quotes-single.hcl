namespace 'dev' {
}
