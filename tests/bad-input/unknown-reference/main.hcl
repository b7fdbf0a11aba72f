terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

namespace "dev" {
}

app "web" {
  namespace = namespace.prod.name
  overlay   = "web"
}
