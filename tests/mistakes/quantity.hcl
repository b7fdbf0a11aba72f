manifest "web" {
  object = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "web", namespace = "web" }
    spec = {
      containers = [{
        name      = "web"
        image     = "nginx:1.27"
        resources = { requests = { memory = "64 GB" } }
      }]
    }
  }
}
