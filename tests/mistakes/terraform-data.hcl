data "kubernetes_config_map" "ca" {
}
