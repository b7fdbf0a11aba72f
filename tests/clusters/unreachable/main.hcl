terrane {
  environment = "unreachable"
  state "local" {}
}

cluster "main" {
  context    = "nobody-home"
  kubeconfig = "kubeconfig.yaml"
  platform   = "k3s"
}

namespace "dev" {
}
