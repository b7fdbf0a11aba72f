//! Commands that work on the files of a definition alone: `fmt`, `validate`, `docs`.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::environment::{Environment, complete, root};

const UGLY: &str = "locals{\na=1\n  long  = 2\n}\n";
const CANONICAL: &str = "locals {\n  a    = 1\n  long = 2\n}\n";

#[test]
fn fmt_says_by_its_exit_code_what_it_found() {
    let environment = Environment::of_files(&[
        ("a.hcl", UGLY),
        ("b.hcl", CANONICAL),
        ("c.tfvars", "x=1\n"),
        ("inner/d.hcl", UGLY),
        ("e.hcl~", UGLY),
    ]);
    let read = |path: &str| std::fs::read_to_string(environment.directory.join(path)).expect("a file");
    let check = environment.terrane(&["fmt", "--check", "--diff"]);
    assert_eq!(check.code, Some(3), "{}", check.stderr);
    assert!(check.stdout.starts_with("./a.hcl\n--- old/./a.hcl\n+++ new/./a.hcl\n"), "{}", check.stdout);
    assert!(
        check.stdout.contains("\n-a=1\n-  long  = 2\n+locals {\n+  a    = 1\n+  long = 2\n"),
        "{}",
        check.stdout
    );
    assert!(!check.stdout.contains("b.hcl") && !check.stdout.contains("inner"), "{}", check.stdout);
    assert_eq!(read("a.hcl"), UGLY, "--check writes nothing");

    let all = environment.terrane(&["fmt", "--recursive"]);
    assert_eq!((all.code, all.stdout.as_str()), (Some(0), "./a.hcl\n./c.tfvars\n./inner/d.hcl\n"));
    assert_eq!(
        (read("a.hcl").as_str(), read("inner/d.hcl").as_str(), read("e.hcl~").as_str()),
        (CANONICAL, CANONICAL, UGLY)
    );
    let again = environment.terrane(&["fmt", "--check", "--recursive"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""));

    // What can be formatted is, whatever stands beside it.
    std::fs::write(environment.directory.join("a.hcl"), "locals {").expect("a file");
    std::fs::write(environment.directory.join("b.hcl"), UGLY).expect("a file");
    let bad = environment.terrane(&["fmt"]);
    assert_eq!((bad.code, bad.stdout.as_str()), (Some(2), "./b.hcl\n"));
    assert!(bad.stderr.contains("[TRN0105]") && bad.stderr.contains("a.hcl:1:1"), "{}", bad.stderr);
    assert_eq!(read("a.hcl"), "locals {");
}

#[test]
fn fmt_reads_standard_input() {
    let environment = Environment::of_files(&[]);
    let run = |arguments: &[&str], input: &str| {
        let mut command = environment.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("terrane runs");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(run(&["fmt", "-"], UGLY), (Some(0), CANONICAL.to_owned()));
    assert_eq!(run(&["fmt", "--check", "-"], UGLY), (Some(3), String::new()));
    assert_eq!(run(&["fmt", "--check", "-"], CANONICAL), (Some(0), String::new()));
    assert_eq!(run(&["fmt", "-"], "locals {"), (Some(2), String::new()));
}

#[test]
fn validate_needs_no_values_and_speaks_json() {
    let text =
        "variable \"tag\" {\n  type = string\n}\n\nnamespace \"web\" {\n  labels = { tag = var.tag }\n}\n";
    let environment = Environment::of_files(&[("main.hcl", text), ("environment.hcl", &complete(text))]);
    let ran = environment.terrane(&["validate"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "The definition is valid; 1 variable has no value yet.\n")
    );
    let json = |expected: i32| -> Value {
        let ran = environment.terrane(&["validate", "--json"]);
        assert_eq!(ran.code, Some(expected), "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("JSON")
    };
    assert_eq!(
        json(0),
        json!({"format_version": "1.0", "valid": true, "error_count": 0, "warning_count": 0, "diagnostics": []})
    );
    std::fs::write(environment.directory.join("main.hcl"), text.replace("labels", "lables")).expect("a file");
    let report = json(1);
    assert_eq!((&report["valid"], &report["error_count"]), (&json!(false), &json!(1)));
    let found = &report["diagnostics"][0];
    for (name, want) in [
        ("severity", json!("error")),
        ("code", json!("TRN0111")),
        ("summary", json!("namespace \"web\" has no argument lables")),
    ] {
        assert_eq!(found[name], want, "{name}");
    }
    let range = &found["range"];
    assert_eq!(range["start"], json!({"line": 6, "column": 3, "byte": 56}), "{range}");
    assert_eq!(range["end"], json!({"line": 6, "column": 9, "byte": 62}), "{range}");
    assert!(range["filename"].as_str().is_some_and(|name| name.ends_with("main.hcl")), "{range}");
    let snippet = &found["snippet"];
    assert_eq!(snippet["code"], json!("  lables = { tag = var.tag }"));
    assert_eq!(snippet["start_line"], json!(6));
}

#[test]
fn docs_print_what_the_page_says() {
    let page = std::fs::read_to_string(root().join("engine/docs/modules/namespace.md")).expect("a page");
    let environment = Environment::of_files(&[]);
    let module = root().join("modules/namespace").display().to_string();
    let ran = environment.terrane(&["docs", &module]);
    assert_eq!((ran.code, ran.stdout), (Some(0), page));
    assert_eq!(environment.terrane(&["docs", "."]).code, Some(1), "there is no definition");
}
