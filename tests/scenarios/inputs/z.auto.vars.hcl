tiers = { from = "z.auto.vars.hcl" }
