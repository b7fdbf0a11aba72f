variable "replicas" {
  type    = "number"
  default = 3
}
