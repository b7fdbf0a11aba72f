terrane {
  environment = "bad"
}

cluster "main" {
  sandbox = true
}

rollout "waves" {
  order = ["main"]
}
