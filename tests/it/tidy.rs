//! Rules about the repository itself: which crate sees which, how long files and functions are, which words are
//! used, and that the documents describe the tree.

mod code;
mod documents;
mod scan;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::Value;

use crate::environment::root;

/// What the pure crates must not depend on: runtimes, clients, clocks and randomness.
const IMPURE: [&str; 14] = [
    "axum",
    "chrono",
    "futures",
    "getrandom",
    "git2",
    "http",
    "jiff",
    "kube",
    "rand",
    "reqwest",
    "tempfile",
    "time",
    "tokio",
    "tower",
];

/// A crate of the workspace.
struct Crate {
    name: String,
    manifest: PathBuf,
    /// Direct dependencies: the name, and whether only its tests need it.
    dependencies: Vec<(String, Need)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Always,
    Tests,
}

impl Crate {
    fn directory(&self) -> &Path {
        self.manifest.parent().expect("a manifest lies in a directory")
    }
}

fn crates() -> Vec<Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let dependency = |found: &Value| {
        let need = if found["kind"] == "dev" { Need::Tests } else { Need::Always };
        (text(&found["name"]), need)
    };
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let found = packages.iter().map(|package| Crate {
        name: text(&package["name"]),
        manifest: text(&package["manifest_path"]).into(),
        dependencies: package["dependencies"].as_array().expect("a list").iter().map(dependency).collect(),
    });
    found.collect()
}

/// Crates that only tests and benchmarks use.
const OF_TESTS: [&str; 5] = ["conformance", "control-plane", "go-program", "language", "torture"];

/// Tells whether the star has an edge between two crates of the workspace.
fn may_see(from: &str, to: &str) -> bool {
    match (from, to) {
        ("terrane", _)
        | ("engine-core" | "engine-structural" | "providers-sandbox", "engine-kinds")
        | ("engine-core" | "providers-sandbox", "engine-structural")
        | ("control-plane" | "language" | "providers-kustomize", "go-program") => true,
        ("conformance", to) => to == "control-plane" || to == "providers-sandbox",
        ("language", to) => to == "engine-config" || to == "engine-core",
        ("torture", to) => to == "engine-core" || to == "engine-state",
        ("engine-core" | "engine-kinds" | "engine-structural" | "providers-sandbox", _) => false,
        // The crates in the middle meet in the core only.
        (_, to) => to == "engine-core",
    }
}

#[test]
fn crates_form_a_star() {
    let crates = crates();
    let ours: BTreeSet<&str> = crates.iter().map(|one| one.name.as_str()).collect();
    for one in &crates {
        for (to, need) in one.dependencies.iter().filter(|(to, _)| ours.contains(to.as_str())) {
            assert!(may_see(&one.name, to), "{} must not depend on {to}", one.name);
            let only_tests = OF_TESTS.contains(&one.name.as_str()) || *need == Need::Tests;
            assert!(only_tests || !OF_TESTS.contains(&to.as_str()), "{} ships {to}", one.name);
        }
    }
}

#[test]
fn the_star_refuses_edges_between_its_points() {
    let refused = [
        ("engine-config", "engine-converge"),
        ("engine-core", "engine-config"),
        ("engine-kinds", "engine-core"),
        ("engine-structural", "engine-core"),
        ("providers-kubernetes", "terrane"),
        ("providers-sandbox", "engine-core"),
        ("engine-converge", "control-plane"),
        ("conformance", "engine-core"),
    ];
    for (from, to) in refused {
        assert!(!may_see(from, to), "{from} → {to}");
    }
}

#[test]
fn the_pure_crates_have_no_means_for_anything_else() {
    let places = Regex::new(r"\bstd::(\{[^}]*\b)?(fs|env|net|process|thread)\b|\b(SystemTime|Instant)\b");
    let places = places.expect("a pattern");
    for one in crates().iter().filter(|one| ["engine-core", "engine-kinds"].contains(&one.name.as_str())) {
        for (dependency, _) in one.dependencies.iter().filter(|(_, need)| *need == Need::Always) {
            assert!(!IMPURE.contains(&dependency.as_str()), "{} depends on {dependency}", one.name);
        }
        let sources = scan::sources(&one.directory().join("src"));
        for source in sources.iter().filter(|source| !source.is_test) {
            if let Some(found) = places.find(&source.code) {
                panic!("{}: {} in a pure crate", source.name(), found.as_str());
            }
        }
    }
}

#[test]
fn every_manifest_inherits_what_is_common() {
    for one in crates() {
        let text = read(&one.manifest);
        for line in ["version", "edition", "rust-version", "license", "publish"] {
            let line = format!("{line}.workspace = true");
            assert!(text.lines().any(|it| it == line), "{}: the manifest lacks `{line}`", one.name);
        }
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{}: the lints are not the workspace's",
            one.name
        );
    }
}

#[test]
fn the_map_names_every_crate_and_no_other() {
    let text = read(&root().join("engine/ARCHITECTURE.md"));
    let names = Regex::new(
        r"`(terrane|conformance|control-plane|go-program|language|torture|(?:engine|providers)-[a-z-]+)`",
    )
    .expect("a pattern");
    let named: BTreeSet<&str> =
        names.captures_iter(&text).map(|found| found.get(1).map_or("", |it| it.as_str())).collect();
    let crates = crates();
    let there: BTreeSet<&str> = crates.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(named, there);
    for one in &crates {
        let directory = one.directory().strip_prefix(root()).expect("a crate lies in the repository");
        let directory = format!("`{}`", directory.display());
        assert!(
            one.name == "terrane" || text.contains(&directory),
            "the map does not say where {} is",
            one.name
        );
    }
    assert!(text.lines().count() <= 250, "ARCHITECTURE.md is longer than 250 lines");
}

/// Returns the files below a directory that end like this, leaving out hidden and build directories.
fn files(directory: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("a file type");
            if kind.is_dir() && !name.starts_with('.') && name != "target" {
                open.push(entry.path());
            } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {endings:?} in {}", directory.display());
    found
}

/// Reads a file of the repository.
#[expect(clippy::panic, reason = "the message of a failed test names the file")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a path as it is written in the repository.
fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
