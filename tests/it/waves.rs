//! Waves of a rollout: what lies between them, and what is left of it when an apply does not come to its end.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};

use serde_json::Value;

use crate::environment::Environment;

const MAIN: &str = r#"terrane {
  environment = "waves"
  state "local" {}
}

variable "soak" {
  type    = string
  default = "1h"
}

variable "well" {
  type    = string
  default = "yes"
}

cluster "canary" {
  sandbox = true
}

cluster "prod" {
  sandbox = true
}

rollout "all" {
  wave "canary" {
    clusters = [cluster.canary]
    soak     = var.soak
    checks   = [web.canary.check.ready]
  }
  wave "prod" {
    clusters = [cluster.prod]
  }
}

web "canary" {
  cluster = cluster.canary
  well    = var.well
}

web "prod" {
  cluster = cluster.prod
  well    = "no"
}
"#;

const WEB: &str = r#"variable "well" {
  type = string
}

manifest "flag" {
  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "flag", namespace = "default" }
    data       = { well = var.well }
  }
}

check "ready" {
  assert {
    condition     = var.well == "yes"
    error_message = "it is not well"
  }
}
"#;

fn environment() -> Environment {
    Environment::of_files(&[("main.hcl", MAIN), ("modules/web/main.hcl", WEB)])
}

/// Starts an apply and returns it once it soaks.
fn soaking(environment: &Environment) -> (Child, std::io::Lines<BufReader<ChildStderr>>) {
    let mut command = environment.command(&["apply", "--auto-approve"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("terrane runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let soaks = lines.by_ref().map_while(Result::ok).any(|line| line.contains("wave prod begins in 1h"));
    assert!(soaks, "the apply soaks");
    (child, lines)
}

/// What the wave `prod` waits for, as a plan says it.
fn gate(environment: &Environment, arguments: &[&str]) -> Value {
    let planned = environment.terrane(&[&["plan", "--json"], arguments].concat());
    let plan: Value = serde_json::from_str(&planned.stdout).expect("JSON");
    plan["gates"][0].clone()
}

#[test]
fn a_soak_that_was_cut_short_begins_again() {
    let environment = environment();
    let (mut child, lines) = soaking(&environment);
    assert_eq!(environment.run("kill", &["-INT", &child.id().to_string()]).code, Some(0));
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("terrane ends").code(), Some(130), "{rest:?}");
    assert_eq!(gate(&environment, &[])["soak_seconds"], 3600, "after Ctrl-C");

    let (mut child, _) = soaking(&environment);
    child.kill().expect("the run is killed");
    child.wait().expect("terrane ends");
    assert_eq!(gate(&environment, &[])["soak_seconds"], 3600, "after a crash");

    let applied = environment.terrane(&["apply", "--auto-approve", "--var", "soak=1s"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.stdout, applied.stderr);
    assert_eq!(environment.terrane(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn a_check_of_a_module_holds_the_next_wave_and_asks_for_no_second_soak() {
    let environment = environment();
    let unwell = ["--var", "well=no", "--var", "soak=1s"];
    let held = environment.terrane(&[&["apply", "--auto-approve"], &unwell[..]].concat());
    assert_eq!(held.code, Some(1), "{}{}", held.stdout, held.stderr);
    let why = "web.canary.check.ready failed: it is not well; it must hold before wave prod of rollout all";
    assert!(held.stdout.contains(why) || held.stderr.contains(why), "{}{}", held.stdout, held.stderr);
    let gate = gate(&environment, &unwell);
    assert_eq!(gate["checks"], serde_json::json!(["web.canary.check.ready"]));
    assert_eq!(gate["soak_seconds"], Value::Null, "it has soaked");
}
