//! The console, with its input from a pipe.

use std::io::{ErrorKind, Write};
use std::process::Stdio;

use crate::environment::{Environment, root};

/// Runs the console on these lines.
fn console(environment: &Environment, arguments: &[&str], lines: &str) -> (Option<i32>, String, String) {
    let mut command = environment.command(&[&["console"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("terrane runs");
    let written = child.stdin.take().expect("a pipe").write_all(lines.as_bytes());
    // A console that has nothing to ask ends without reading.
    let unread = written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
    assert!(written.is_ok() || unread, "{written:?}");
    let output = child.wait_with_output().expect("terrane ends");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn lines_are_answered_one_by_one_and_a_fault_stops_none() {
    let environment = Environment::copy_of(&root().join("environments/quickstart"));
    let lines = "1 + 2\n\nmax(1\nupper(\"a\")\nuuid()\n[sensitive(1)]\ntype([true])\n";
    let (code, stdout, stderr) = console(&environment, &[], lines);
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stdout, "3\n\"A\"\n[\n  (sensitive value),\n]\ntuple([\n    bool,\n])\n");
    assert_eq!(stderr.matches("error[TRN").count(), 2, "{stderr}");
    let (code, stdout, stderr) = console(&environment, &[], "1\nexit\nmax(\n");
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "1\n", ""));
}

#[test]
fn names_mean_what_they_mean_in_the_environment() {
    let environment = Environment::copy_of(&root().join("environments/quickstart"));
    let lines = "var.image_tag\nnamespace.dev.name\ncluster.main.platform\nargocd.main\nvar.image_tga[0].x\n";
    let (code, stdout, stderr) = console(&environment, &[".", "--var", "image_tag=1.28"], lines);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.starts_with("\"1.28\"\n\"dev\"\n\"sandbox\"\n{"), "{stdout}");
    assert!(stderr.contains("did you mean \"var.image_tag\"?"), "{stderr}");
}

#[test]
fn variables_need_a_definition() {
    let environment = Environment::copy_of(&root().join("environments/quickstart"));
    let (code, stdout, stderr) = console(&environment, &["--var", "a=b"], "1\n");
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("no definition"), "{stderr}");
}
