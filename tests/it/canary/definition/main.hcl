terrane {
  environment = "canary"
  state "git" {
    remote = "origin"
  }
}

variable "by_file" {
  type      = string
  sensitive = true
}

variable "by_environment" {
  type      = string
  sensitive = true
}

variable "by_argument" {
  type      = string
  sensitive = true
}

variable "pem" {
  type      = string
  sensitive = true
}

variable "pin" {
  type      = string
  sensitive = true
}

variable "json" {
  type      = string
  sensitive = true
}

variable "passing" {
  type      = string
  ephemeral = true
}

cluster "main" {
  context = "crash"
}

namespace "dev" {
}

secret "block" {
  namespace = namespace.dev.name
  data      = { argument = var.by_argument, passing = var.passing }
  generate  = { password = {} }
}

manifest "literal" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "literal", namespace = namespace.dev.name }
    stringData = { password = "LITERAL" }
  }
}

manifest "typed" {
  object = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "typed", namespace = namespace.dev.name }
    stringData = { key = var.pem, pin = var.pin, document = var.json }
  }
}

# What is secret goes where others can see it.
manifest "derived" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "derived", namespace = namespace.dev.name }
    data = {
      url      = "postgres://app:${var.by_file}@db/app"
      encoded  = base64encode("user:${var.by_environment}")
      pin      = var.pin
      document = var.json
      password = secret.block.data.password
      field    = jsondecode(var.json).token
    }
  }
}

kustomization "overlay" {
  path = "overlay"
}

locals {
  joined = "${var.by_file}/${var.pin}"
}

output "url" {
  value     = "postgres://app:${var.by_file}@db/app"
  sensitive = true
}
