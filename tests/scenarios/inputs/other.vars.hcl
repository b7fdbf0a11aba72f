tiers   = { from = "other.vars.hcl" }
unknown = 1
