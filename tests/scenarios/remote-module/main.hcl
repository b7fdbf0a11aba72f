terrane {
  environment = "remote-module"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

module "site" {
  for_each = toset(["blog", "shop"])
  source   = "git::LIBRARY//site?ref=main"
  name     = each.key
}

output "names" {
  value = [for site in module.site : site.name]
}
