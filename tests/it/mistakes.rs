//! Mistakes that newcomers make, and what they are told: `tests/mistakes/NAME.hcl` with its `NAME.out`.

use crate::environment::{Environment, complete, expect_file, root};

#[test]
fn every_mistake_is_explained() {
    let directory = root().join("tests/mistakes");
    let files = std::fs::read_dir(&directory).expect("tests/mistakes");
    let names = files.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".hcl").map(str::to_owned)).collect();
    names.sort();
    assert!(names.len() >= 40, "only {} mistakes", names.len());
    let failed: Vec<&String> =
        names.iter().filter(|name| std::panic::catch_unwind(|| explained(name)).is_err()).collect();
    assert!(failed.is_empty(), "failed: {failed:?}");
}

fn explained(name: &str) {
    let directory = root().join("tests/mistakes");
    let text = std::fs::read_to_string(directory.join(format!("{name}.hcl"))).expect("a mistake");
    let environment = Environment::of_files(&[("main.hcl", &text), ("environment.hcl", &complete(&text))]);
    let ran = environment.terrane(&["validate"]);
    assert_eq!(ran.code, Some(1), "{name} is no mistake:\n{}", ran.stdout);
    expect_file(&directory.join(format!("{name}.out")), &ran.stderr);
    let place = regex::Regex::new(r"--> main\.hcl:\d+:\d+").expect("a pattern");
    for part in ["[TRN0", "help:"] {
        assert!(ran.stderr.contains(part), "{name} lacks {part}");
    }
    assert!(place.is_match(&ran.stderr), "{name}: no place");
    assert!(!ran.stderr.contains("s3cr3t"), "{name} tells a secret");
}
