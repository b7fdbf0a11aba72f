terrane {
  environment = "module-not-pinned"
}

cluster "main" {
  sandbox = true
}

module "site" {
  source = "git::https://git.example.com/modules.git//site"
}
