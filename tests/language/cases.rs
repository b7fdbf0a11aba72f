//! Compares the cases of `cases/*.yaml` with the reference implementation.
//!
//! A case has a name and an expression; what it must give, the reference says. Where this implementation differs on
//! purpose the case says why, and `engine/docs/differences-from-terraform.md` tells it to users.

// A case that cannot be read fails.
#![allow(clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use language::compare::difference;
use language::{Question, ask, evaluate, names};
use serde::Deserialize;

const DIRECTORY: &str = env!("CARGO_MANIFEST_DIR");

/// A case, as its file writes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Case {
    Same(String),
    Different(Different),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Different {
    text: String,
    /// Why it differs, as the page of differences begins a row.
    differs: String,
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(DIRECTORY).join("cases")).expect("the cases are readable");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the cases are readable").path()).collect();
    files.sort();
    files
}

/// Returns all cases: name, expression, and the reason of those that differ.
fn cases() -> Vec<(String, String, Option<String>)> {
    let mut all = Vec::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("the cases are readable");
        let cases: BTreeMap<String, Case> =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        all.extend(cases.into_iter().map(|(name, case)| match case {
            Case::Same(text) => (format!("{file}: {name}"), text, None),
            Case::Different(case) => (format!("{file}: {name}"), case.text, Some(case.differs)),
        }));
    }
    all
}

#[test]
fn every_case_means_what_it_means_to_the_reference() {
    let cases = cases();
    assert!(cases.len() >= 300, "only {} cases", cases.len());
    let question = |text: &String| Question { text: format!("{text}\n"), names: names() };
    let questions: Vec<_> = cases.iter().map(|(_, text, _)| question(text)).collect();
    let answers = ask(&questions);
    let mut failures = Vec::new();
    for (((name, text, differs), question), reference) in cases.iter().zip(&questions).zip(&answers) {
        let found = difference(&evaluate(question), &reference.answer);
        match (found, differs) {
            (Some(found), None) => failures.push(format!("{name}: {text}\n{found}")),
            (None, Some(_)) => failures.push(format!("{name}: {text}\nno difference")),
            _ => {}
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases fail\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

#[test]
fn every_difference_is_told_to_users() {
    let path = Path::new(DIRECTORY).join("../../engine/docs/differences-from-terraform.md");
    let page = std::fs::read_to_string(path).expect("the page is readable");
    let reasons: BTreeSet<_> = cases().into_iter().filter_map(|(_, _, differs)| differs).collect();
    let untold: Vec<_> = reasons.iter().filter(|reason| !page.contains(*reason)).collect();
    assert!(untold.is_empty(), "not in the page: {untold:#?}");
}
