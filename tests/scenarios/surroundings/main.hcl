# A namespace of others, with a quota of theirs, and classes that the cluster has or has not.

terrane {
  environment = "surroundings"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

manifest "web" {
  object = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = "team-a" }
    spec = {
      replicas = 2
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" } }
        spec     = { containers = [{ name = "main", image = "web:1.0" }] }
      }
    }
  }
}
