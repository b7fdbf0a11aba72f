//! Renders every case under `tests/kustomize/cases` and compares with the reference implementation.
//!
//! The reference is a Go program of this repository (`tests/kustomize/oracle`) that uses Kustomize 5.8.1 as a library.
//! It is built once for each content of its sources and kept in the target directory.
//!
//! A case is a directory; what is rendered is its `overlay` directory, or itself where there is none. Its name says what
//! must come out: `error-…` fails in both, `refused-…` fails only here, all others give the same objects.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use engine_core::value::Value;
use go_program::GoProgram;
use providers_kustomize::{Overlay, render};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    case: PathBuf,
    objects: Option<Vec<Value>>,
    error: Option<String>,
}

#[test]
fn every_case_gives_what_the_reference_gives() {
    let cases = cases();
    let reference = reference(&cases);
    let mut failures = Vec::new();
    for (name, directory) in &cases {
        let line = &reference[directory];
        if let Err(failure) = check(name, directory, line) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases differ\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn check(name: &str, directory: &Path, line: &Line) -> Result<(), String> {
    let rendered = render(&Overlay {
        path: directory.to_owned(),
        repository: root().join("cases").join(name),
        images: Vec::new(),
        replicas: Vec::new(),
        namespace: None,
    });
    let must_fail = name.starts_with("error-");
    if must_fail != line.error.is_some() {
        return Err(format!("the name does not fit the reference: {:?}", line.error));
    }
    match rendered {
        Ok(_) if must_fail || name.starts_with("refused-") => Err("rendered, but must fail".to_owned()),
        Ok(rendered) => {
            let ours: Vec<Value> = rendered.objects.into_iter().map(|object| object.value).collect();
            same(&ours, line.objects.as_deref().unwrap_or_default())
        }
        Err(_) if must_fail || name.starts_with("refused-") => Ok(()),
        Err(faults) => Err(faults
            .iter()
            .map(|fault| format!("{} {} {:?}", fault.code, fault.summary, fault.span))
            .collect::<Vec<_>>()
            .join("; ")),
    }
}

fn same(ours: &[Value], theirs: &[Value]) -> Result<(), String> {
    for (idx, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        if ours != theirs {
            return Err(format!("object {idx}\n  ours      {ours}\n  reference {theirs}"));
        }
    }
    if ours.len() == theirs.len() {
        return Ok(());
    }
    Err(format!("{} objects, the reference has {}", ours.len(), theirs.len()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kustomize")
}

fn cases() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(root().join("cases")).expect("the cases are readable");
    entries
        .map(|entry| {
            let directory = entry.expect("the cases are readable").path();
            let name = directory.file_name().expect("a case has a name").to_string_lossy().into_owned();
            let overlay = directory.join("overlay");
            (name, if overlay.is_dir() { overlay } else { directory })
        })
        .collect()
}

/// Runs the reference on all cases.
fn reference(cases: &BTreeMap<String, PathBuf>) -> BTreeMap<PathBuf, Line> {
    let output = Command::new(oracle()).args(cases.values()).output().expect("the oracle runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("the oracle prints UTF-8");
    lines
        .lines()
        .map(|line| {
            let line: Line = serde_json::from_str(line).expect("the oracle prints JSON lines");
            (line.case.clone(), line)
        })
        .collect()
}

/// Returns the oracle's binary, building it if its sources have changed.
fn oracle() -> PathBuf {
    let module = &root().join("oracle");
    GoProgram { name: "kustomize", module, embedded: None, linker_flags: "", notice: None }.path()
}
