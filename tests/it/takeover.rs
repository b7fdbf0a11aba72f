//! Two machines and one state at a remote: a holder that falls silent is displaced. On the control plane only, for a
//! sandbox belongs to one work copy.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::cluster::Server;
use crate::environment::{Environment, Ran, copy, root};

/// Runs `terrane` in a clone.
fn terrane(environment: &Environment, clone: &Path, arguments: &[&str]) -> Ran {
    let output = environment.command(arguments).current_dir(clone).output().expect("terrane runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Makes another clone of the environment beside it; both keep the state at the same remote.
fn clones(environment: &Environment) -> [PathBuf; 2] {
    let main = environment.directory.join("main.hcl");
    let text = std::fs::read_to_string(&main).expect("main.hcl");
    let text = text.replace("state \"local\" {}", "lock_renewal = \"1s\"\n  state \"git\" {}");
    std::fs::write(&main, text).expect("main.hcl");
    let parent = environment.directory.parent().expect("a parent");
    let [remote, other] = ["remote.git", "other"].map(|name| parent.join(name));
    copy(&environment.directory, &other);
    let git = |arguments: &[&str]| {
        let ran = environment.run("git", arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    };
    git(&["init", "-q", "--bare", &remote.display().to_string()]);
    for clone in [&environment.directory, &other] {
        git(&["init", "-q", &clone.display().to_string()]);
        git(&["-C", &clone.display().to_string(), "remote", "add", "origin", &remote.display().to_string()]);
    }
    [environment.directory.clone(), other]
}

#[test]
fn a_holder_that_falls_silent_is_displaced_and_writes_no_more() {
    let source = root().join("tests/clusters/never-ready");
    let environment = Environment::on(Server::ControlPlane.start(), &source);
    let [one, two] = clones(&environment);
    let mut command = environment.command(&["apply", "--auto-approve"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("terrane runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("waiting")), "the apply waits");
    let pid = child.id().to_string();
    let serial = || -> u64 {
        let state = terrane(&environment, &two, &["state", "list", "--json"]);
        serde_json::from_str::<Value>(&state.stdout).expect("JSON")["serial"].as_u64().expect("a serial")
    };

    // It shows that it is alive, so nobody takes its place.
    let before = serial();
    let waited = terrane(&environment, &two, &["apply", "--auto-approve", "--lock-timeout", "7s"]);
    assert_eq!((waited.code, waited.stdout.as_str()), (Some(1), ""), "{}", waited.stderr);
    assert!(waited.stderr.contains("waiting for the lock: run "), "{}", waited.stderr);
    assert!(serial() > before + 3, "a sign of life every second");

    assert_eq!(environment.run("kill", &["-STOP", &pid]).code, Some(0));
    let main = two.join("main.hcl");
    let text = std::fs::read_to_string(&main).expect("main.hcl");
    std::fs::write(&main, text.replace("\"nobody\"", "\"default-scheduler\"")).expect("main.hcl");
    let taken = terrane(&environment, &two, &["apply", "--auto-approve", "--lock-timeout", "60s"]);
    assert_eq!(taken.code, Some(0), "{}{}", taken.stdout, taken.stderr);
    assert!(taken.stderr.contains("no sign of life for 5 seconds; taking its place"), "{}", taken.stderr);

    let after = serial();
    assert_eq!(environment.run("kill", &["-CONT", &pid]).code, Some(0));
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("terrane ends").code(), Some(4), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("another run has taken the lock")), "{rest:?}");
    assert_eq!(serial(), after, "the displaced run records nothing");
    let planned = terrane(&environment, &two, &["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(0), "{}{}", planned.stdout, planned.stderr);

    // Its notes are of no use to anybody: the state has gone on.
    std::fs::copy(&main, one.join("main.hcl")).expect("main.hcl");
    let again = environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains("No changes"), "{}", again.stdout);
}
