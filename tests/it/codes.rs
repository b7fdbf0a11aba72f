//! Every code of a diagnostic has its page in `engine/docs/codes`, with an example that gives it.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::environment::{Environment, complete, root};

/// Codes of the sources, by number: the name of the constant.
fn codes() -> BTreeMap<u16, String> {
    let constant = Regex::new(r"const ([A-Z0-9_]+): Code = Code\((\d+)\);").expect("a pattern");
    let mut found = BTreeMap::new();
    let mut open = vec![root().join("engine"), root().join("providers")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            for code in constant.captures_iter(&text) {
                let number = code[2].parse().expect("a number");
                let first = found.insert(number, code[1].to_owned());
                assert_eq!(first, None, "code {number} is used twice");
            }
        }
    }
    found
}

fn pages() -> BTreeMap<u16, String> {
    let files = std::fs::read_dir(root().join("engine/docs/codes")).expect("pages");
    let pages = files.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let number = name.strip_prefix("TRN").and_then(|number| number.parse().ok());
        let number = number.unwrap_or_else(|| panic!("{name} is no page of a code"));
        (number, std::fs::read_to_string(&path).expect("a page"))
    });
    pages.collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let (codes, pages) = (codes(), pages());
    assert!(codes.len() > 100, "{codes:?}");
    let named: BTreeSet<&u16> = codes.keys().collect();
    assert_eq!(pages.keys().collect::<BTreeSet<_>>(), named, "left: pages, right: codes");
    for (number, text) in &pages {
        assert!(text.starts_with(&format!("# TRN{number:04}: ")), "TRN{number:04}: the heading");
        assert!(text.contains("\n## What to do\n"), "TRN{number:04} does not say what to do");
        let has_example = text.contains("\n```hcl\n");
        assert!(has_example != text.contains("<!-- no example: "), "TRN{number:04}: one or the other");
    }
}

#[test]
fn every_example_gives_its_code() {
    let fence = Regex::new(r"(?ms)^```(\w+) ?([^\n]*)\n(.*?)^```$").expect("a pattern");
    let mut failed = Vec::new();
    for (number, page) in pages().iter().filter(|(_, page)| page.contains("\n```hcl\n")) {
        let fences = fence.captures_iter(page).filter(|found| &found[1] != "console");
        let mut files: Vec<(String, String)> = fences
            .map(|found| {
                let name = if found[2].is_empty() { "main.hcl" } else { &found[2] };
                (name.to_owned(), found[3].to_owned())
            })
            .collect();
        if !page.contains("<!-- as it is -->") {
            files.push(("environment.hcl".to_owned(), complete(&files[0].1)));
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&name[..], &text[..])).collect();
        let ran = Environment::of_files(&files).terrane(&["plan"]);
        let code = format!("[TRN{number:04}]");
        if !ran.stderr.contains(&code) && !ran.stdout.contains(&code) {
            failed.push(format!("{code}: exit {:?}\n{}{}", ran.code, ran.stderr, ran.stdout));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn codes_are_explained() {
    let environment = Environment::of_files(&[]);
    let list = environment.terrane(&["explain"]);
    assert_eq!(list.stdout.lines().count(), pages().len());
    assert!(list.stdout.starts_with("TRN0100: "), "{}", list.stdout);
    for code in ["TRN0105", "trn105", "105", "[TRN0105]"] {
        let page = environment.terrane(&["explain", code]);
        assert_eq!(page.code, Some(0), "{code}: {}", page.stderr);
        assert!(page.stdout.starts_with("# TRN0105: "), "{code}");
    }
    assert!(!environment.terrane(&["explain", "102"]).stdout.contains("<!--"));
    let unknown = environment.terrane(&["explain", "TRN9999"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""));
    assert!(unknown.stderr.contains("help:"), "{}", unknown.stderr);
}
