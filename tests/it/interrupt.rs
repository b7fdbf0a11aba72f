//! Ctrl-C during an apply: what was done is recorded, and the next run goes on.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::cluster::{Server, on_both_servers};
use crate::environment::{Environment, root};

fn an_interrupted_apply_is_recorded_and_continued(server: Server) {
    let environment = Environment::on(server.start(), &root().join("tests/clusters/never-ready"));
    let mut command = environment.command(&["apply", "--auto-approve"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("terrane runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    // The deployment is written and will never be ready: from here on the run only waits.
    let waits =
        lines.by_ref().map_while(Result::ok).any(|line| line.contains("Deployment.apps/dev/web: waiting"));
    assert!(waits, "the apply waits for its deployment");
    let pid = child.id().to_string();
    assert!(environment.run("kill", &["-INT", &pid]).code == Some(0), "the signal is sent");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let status = child.wait().expect("terrane ends");
    assert_eq!(status.code(), Some(130), "{rest:?}");

    let state = environment.terrane(&["state", "list", "--json"]);
    let state: Value = serde_json::from_str(&state.stdout).expect("JSON");
    let recorded: Vec<&str> =
        state["resources"].as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(recorded, ["web", "dev"], "what was written is recorded, what was not begun is not");
    assert_eq!(state["locked_by"], Value::Null, "the lock is released");

    let main = environment.directory.join("main.hcl");
    let text = std::fs::read_to_string(&main).expect("main.hcl");
    std::fs::write(&main, text.replace("\"nobody\"", "\"default-scheduler\"")).expect("main.hcl");
    let ran = environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 created, 1 changed, 0 deleted"), "{}", ran.stdout);
    let after = environment.get("/api/v1/namespaces/dev/configmaps/after");
    assert!(after.is_some(), "the dependent follows");
    assert_eq!(environment.terrane(&["plan", "--detailed-exitcode"]).code, Some(0));
}

fn a_lock_that_a_dead_run_left_is_named_and_released_by_hand(server: Server) {
    let environment = Environment::on(server.start(), &root().join("tests/clusters/never-ready"));
    let mut command = environment.command(&["apply", "--auto-approve"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("terrane runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("waiting")), "the apply waits");
    child.kill().expect("the run is killed");
    child.wait().expect("terrane ends");

    let refused = environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(refused.code, Some(1));
    let hint = refused.stderr.split("terrane state unlock ").nth(1).expect("the error says how to unlock");
    let run = hint.split('`').next().expect("a run");
    assert_eq!(refused.stdout, "", "there is no point in planning");
    assert!(refused.stderr.contains("(operation apply, run "), "{}", refused.stderr);
    let destroyed = environment.terrane(&["destroy", "--auto-approve"]);
    assert_eq!((destroyed.code, destroyed.stdout.as_str()), (Some(1), ""), "{}", destroyed.stderr);
    let planned = environment.terrane(&["plan"]);
    assert_eq!(planned.code, Some(0), "a plan needs no lock");
    assert!(planned.stderr.contains(&format!("warning: run {run} holds the state")), "{}", planned.stderr);
    assert_eq!(environment.terrane(&["state", "unlock", "not-this-run"]).code, Some(1));
    let unlocked = environment.terrane(&["state", "unlock", run]);
    assert_eq!(unlocked.code, Some(0), "{}", unlocked.stderr);

    let destroyed = environment.terrane(&["destroy", "--auto-approve"]);
    assert_eq!(destroyed.code, Some(0), "{}{}", destroyed.stdout, destroyed.stderr);
    assert_eq!(environment.get("/api/v1/namespaces/dev"), None, "nothing is orphaned");
}

on_both_servers! {
    an_interrupted_apply_is_recorded_and_continued,
    a_lock_that_a_dead_run_left_is_named_and_released_by_hand,
}
