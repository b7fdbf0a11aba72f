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

/// Starts an apply and kills it while it waits; returns its environment.
fn killed(server: Server) -> Environment {
    let environment = Environment::on(server.start(), &root().join("tests/clusters/never-ready"));
    let mut command = environment.command(&["apply", "--auto-approve"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("terrane runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("waiting")), "the apply waits");
    // A run that is alive is waited for, or refused with who it is.
    let refused = environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("error[TRN1001]"), "{}", refused.stderr);
    assert!(refused.stderr.contains("another process changes the environment in this directory"));
    child.kill().expect("the run is killed");
    child.wait().expect("terrane ends");
    environment
}

/// Moves what lies in the work directory away: the next run is on another machine.
fn elsewhere(environment: &Environment) {
    let work = environment.directory.join(".terrane");
    for entry in std::fs::read_dir(&work).expect("a work directory").map(|entry| entry.expect("an entry")) {
        if entry.file_name().to_string_lossy().starts_with("run-") {
            std::fs::remove_file(entry.path()).expect("a file");
        }
    }
}

fn a_run_that_died_on_this_machine_is_gone_on_from(server: Server) {
    let environment = killed(server);
    let planned = environment.terrane(&["plan"]);
    assert_eq!(planned.code, Some(0), "a plan needs no lock");
    assert!(planned.stderr.contains("of this machine ended early"), "{}", planned.stderr);
    let destroyed = environment.terrane(&["destroy", "--auto-approve"]);
    assert_eq!(destroyed.code, Some(0), "{}{}", destroyed.stdout, destroyed.stderr);
    assert!(destroyed.stderr.contains("going on from what it noted"), "{}", destroyed.stderr);
    assert_eq!(environment.get("/api/v1/namespaces/dev"), None, "nothing is orphaned");
}

fn a_lock_that_a_run_elsewhere_left_is_named_and_released_by_hand(server: Server) {
    let environment = killed(server);
    elsewhere(&environment);

    let refused = environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(refused.code, Some(1));
    let hint = refused.stderr.split("--lock-id ").nth(1).expect("the error says how to unlock");
    let run = hint.split('`').next().expect("a run");
    assert_eq!(refused.stdout, "", "there is no point in planning");
    assert!(refused.stderr.contains(&format!("run {run} holds the lock since 2")), "{}", refused.stderr);
    assert!(refused.stderr.contains("(apply by "), "{}", refused.stderr);
    assert!(refused.stderr.contains("last heard of with serial 2: apply: begin"), "{}", refused.stderr);
    let destroyed = environment.terrane(&["destroy", "--auto-approve"]);
    assert_eq!((destroyed.code, destroyed.stdout.as_str()), (Some(1), ""), "{}", destroyed.stderr);
    let planned = environment.terrane(&["plan"]);
    assert_eq!(planned.code, Some(0), "a plan needs no lock");
    assert!(planned.stderr.contains(&format!("warning: run {run} holds the lock")), "{}", planned.stderr);
    assert_eq!(environment.terrane(&["state", "unlock", "--lock-id", "not-this-run"]).code, Some(1));
    let unlocked = environment.terrane(&["state", "unlock", "--lock-id", run]);
    assert_eq!(unlocked.code, Some(0), "{}", unlocked.stderr);

    let destroyed = environment.terrane(&["destroy", "--auto-approve"]);
    assert_eq!(destroyed.code, Some(0), "{}{}", destroyed.stdout, destroyed.stderr);
    assert_eq!(environment.get("/api/v1/namespaces/dev"), None, "nothing is orphaned");
}

on_both_servers! {
    an_interrupted_apply_is_recorded_and_continued,
    a_run_that_died_on_this_machine_is_gone_on_from,
    a_lock_that_a_run_elsewhere_left_is_named_and_released_by_hand,
}
