//! Output that nobody reads, or that does not fit: no reason to stop, and never a panic.

use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::environment::{Environment, root};

const APPLY: [&str; 2] = ["apply", "--auto-approve"];

fn quickstart() -> Environment {
    Environment::copy_of(&root().join("environments/quickstart"))
}

/// The writing end of a pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// A device without room.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

fn run(command: &mut Command) -> Output {
    command.output().expect("terrane runs")
}

/// Checks that an apply has done everything and has recorded it.
fn assert_applied(environment: &Environment, when: &str) {
    let state = environment.terrane(&["state", "list", "--json"]);
    let state: Value = serde_json::from_str(&state.stdout).unwrap_or_else(|_| panic!("{when}: {state:?}"));
    assert_eq!(state["locked_by"], Value::Null, "{when}: the lock is released");
    let planned = environment.terrane(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(0), "{when}: {}{}", planned.stdout, planned.stderr);
}

#[test]
fn an_apply_whose_output_nobody_reads_goes_on() {
    for (when, stdout, stderr, log) in [
        ("no stderr", Stdio::null(), closed(), ""),
        ("no stdout", closed(), Stdio::null(), ""),
        ("neither", closed(), closed(), "debug"),
        ("full stderr", Stdio::null(), full(), "debug"),
    ] {
        let environment = quickstart();
        let mut command = environment.command(&APPLY);
        let ran = run(command.env("TERRANE_LOG", log).stdout(stdout).stderr(stderr));
        assert_eq!(ran.status.code(), Some(0), "{when}");
        assert_applied(&environment, when);
    }
}

#[test]
fn data_that_cannot_be_written_is_an_error() {
    let environment = quickstart();
    let planned = run(environment.command(&["plan"]).stdout(full()).stderr(Stdio::piped()));
    let stderr = String::from_utf8_lossy(&planned.stderr).into_owned();
    assert_eq!(planned.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: write to standard output"), "{stderr}");
}

#[test]
fn a_pipe_that_closes_early_is_no_error() {
    let environment = quickstart();
    for arguments in [&["plan"][..], &["validate"], &["graph"], &["version"], &["--help"]] {
        let ran = run(environment.command(arguments).stdout(closed()).stderr(Stdio::piped()));
        let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!((ran.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
