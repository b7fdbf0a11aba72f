//! Bad input: a coded error with place, source line and hint; exit code 1; nothing written.

use crate::environment::{Environment, expect_file, normalise, root};

/// Runs `terrane plan` on `tests/bad-input/<case>` and compares stderr with its `expected.out`.
fn refused(case: &str) {
    let directory = root().join("tests/bad-input").join(case);
    let environment = Environment::copy_of(&directory);
    let before = environment.files();
    let ran = environment.terrane(&["plan"]);
    let stderr = normalise(&ran.stderr, &environment.directory);
    assert_eq!(ran.code, Some(1), "{case}: exit code\n{stderr}");
    assert!(ran.stdout.is_empty(), "{case}: a refused definition has no plan:\n{}", ran.stdout);
    assert_eq!(environment.files(), before, "{case}: something was written");
    expect_file(&directory.join("expected.out"), &stderr);
    assert!(stderr.contains("[TRN0"), "{case}: no code");
    let place = regex::Regex::new(r"--> \S+:\d+:\d+").expect("a pattern");
    assert!(place.is_match(&stderr), "{case}: no place");
    assert!(stderr.contains("help:"), "{case}: no hint");
}

#[test]
fn every_case_is_refused() {
    let cases = std::fs::read_dir(root().join("tests/bad-input")).expect("tests/bad-input");
    let mut cases: Vec<String> =
        cases.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    cases.sort();
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    let failed: Vec<String> = cases
        .into_iter()
        .filter_map(|case| {
            let outcome = std::panic::catch_unwind(|| refused(&case));
            outcome.is_err().then_some(case)
        })
        .collect();
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
}

#[test]
fn a_cluster_that_does_not_answer_is_named() {
    let environment = Environment::copy_of(&root().join("tests/clusters/unreachable"));
    let ran = environment.terrane(&["plan"]);
    assert_eq!(ran.code, Some(1));
    for text in ["[TRN0620]", "main.hcl:6:1", "cluster \"main\"", "does not answer", "nobody-home", "help:"] {
        assert!(ran.stderr.contains(text), "lacks `{text}`:\n{}", ran.stderr);
    }
    assert!(!environment.directory.join(".terrane/state.git").join("refs/terrane").exists());
}

#[test]
fn a_link_out_of_a_module_is_refused() {
    let environment = Environment::copy_of(&root().join("tests/clusters/link-out"));
    let link = environment.directory.join("modules/site/page.txt");
    std::os::unix::fs::symlink("/etc/hostname", link).expect("a link");
    let ran = environment.terrane(&["plan"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    for text in ["[TRN0", "modules/site/main.hcl:11:", "page.txt", "help:"] {
        assert!(ran.stderr.contains(text), "lacks `{text}`:\n{}", ran.stderr);
    }
    assert!(!environment.directory.join(".terrane").exists(), "nothing is written");
}
