tiers = { from = "terrane.vars.hcl" }
