//! Rules about the code: sizes, names, and what must not be in it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::scan::{Function, Source, functions, sources};
use super::{files, read, relative};
use crate::environment::root;

const FILE_AIM: usize = 500;
const FILE_LIMIT: usize = 700;
const FUNCTION_LIMIT: usize = 60;

/// Names that hold a word which GLOSSARY.md refuses, and why they may.
const NAMES: [(&str, &str); 8] = [
    ("sync_directory", "what fsync does"),
    ("execute", "the crate `engine-converge` executes one planned change; apply is the whole"),
    ("garbage", "the sandbox' part that Kubernetes calls the garbage collector"),
    ("without_plugin_output", "client-go calls it a credential plugin"),
    ("acquire", "of a permit, not of an object"),
    ("lease", "a kind of Kubernetes"),
    ("Layer", "a base, an overlay or a component, whichever is being built"),
    ("Layers", "bases, overlays and components alike"),
];

/// The sources that are no tests.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let all = ["engine", "providers"].into_iter().flat_map(|directory| sources(&root().join(directory)));
    all.filter(|source| !source.is_test).collect()
});

/// Tells whether the comments and attributes above a function say why it stays whole.
fn is_excused(text: &str, function: &Function) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let above = lines[..function.first].iter().rev().map(|line| line.trim_start());
    above
        .take_while(|line| line.starts_with("//") || line.starts_with('#'))
        .any(|line| line.starts_with("// Whole: "))
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for source in SOURCES.iter() {
        let lines = source.text.lines().count();
        let says_why = || source.text.lines().any(|line| line.starts_with("//! Size: "));
        if lines > FILE_LIMIT || lines > FILE_AIM && !says_why() {
            long.push(format!("{} has {lines} lines", source.name()));
        }
    }
    assert!(long.is_empty(), "over {FILE_LIMIT}, or no `//! Size:` says why\n{}", long.join("\n"));
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for source in SOURCES.iter() {
        for function in functions(&source.code) {
            let lines = function.last - function.first + 1;
            if lines > FUNCTION_LIMIT && !is_excused(&source.text, &function) {
                long.push(format!(
                    "{}:{}: {} has {lines} lines",
                    source.name(),
                    function.first + 1,
                    function.name
                ));
            }
        }
    }
    assert!(long.is_empty(), "no `// Whole:` says why\n{}", long.join("\n"));
}

#[test]
fn names_are_those_of_the_glossary() {
    let glossary = read(&root().join("engine/GLOSSARY.md"));
    let refused = refused_words(&glossary);
    assert!(refused.len() > 20, "{refused:?}");
    let declaration = Regex::new(r"\b(?:struct|enum|trait|fn|mod|type)\s+([A-Za-z_]\w*)").expect("a pattern");
    let mut wrong = Vec::new();
    let mut excepted = BTreeSet::new();
    let is_refused = |word: &str| refused.contains(word) || refused.contains(word.trim_end_matches('s'));
    for source in SOURCES.iter() {
        for found in declaration.captures_iter(&source.code) {
            let name = &found[1];
            let word = words(name).into_iter().find(|word| is_refused(word));
            match (word, NAMES.iter().find(|(allowed, _)| *allowed == name)) {
                (Some(_), Some((allowed, _))) => drop(excepted.insert(*allowed)),
                (Some(word), None) => wrong.push(format!("{}: {name} says `{word}`", source.name())),
                (None, _) => {}
            }
            let vague = ["utils", "util", "common", "helper", "helpers", "manager", "misc"].contains(&name);
            if vague && found[0].starts_with("mod") {
                wrong.push(format!("{}: a module called {name} says nothing", source.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "see engine/GLOSSARY.md\n{}", wrong.join("\n"));
    for (allowed, _) in NAMES {
        assert!(excepted.contains(allowed), "nothing is called {allowed} any more: drop the exception");
    }
}

/// Returns the words in `code` of the glossary's third column.
fn refused_words(glossary: &str) -> BTreeSet<&str> {
    let columns = glossary.lines().filter_map(|line| line.strip_prefix('|')?.split('|').nth(2));
    columns.flat_map(|column| column.split('`').skip(1).step_by(2)).collect()
}

/// Splits a name into its words, in lower case: `FieldManager` and `field_manager` alike.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (idx, char) in chars.iter().enumerate() {
        let after_small = idx > 0 && !chars[idx - 1].is_uppercase();
        let before_small = chars.get(idx + 1).is_some_and(|next| next.is_lowercase());
        if *char == '_' || char.is_uppercase() && (after_small || before_small) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| *char != '_') {
            word.extend(char.to_lowercase());
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn nothing_is_left_undone() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|halves| halves.concat());
    let mark = Regex::new(&format!(r"\b(?:{})\b", marks.join("|"))).expect("a pattern");
    for directory in ["engine", "providers", "modules", "environments", "tests"] {
        for path in files(&root().join(directory), &[".rs", ".hcl", ".tera", ".md"]) {
            let text = read(&path);
            assert!(!mark.is_match(&text), "{}: a note to oneself", relative(&path));
        }
    }
}

#[test]
fn libraries_do_not_panic() {
    let panics = Regex::new(r"\.unwrap\(\)|\b(?:panic|todo|unimplemented)!").expect("a pattern");
    let mut found = Vec::new();
    for source in SOURCES.iter() {
        let lines = source.code.lines().zip(source.text.lines()).enumerate();
        for (idx, (_, text)) in lines.filter(|(_, (code, _))| panics.is_match(code)) {
            found.push(format!("{}:{}: {}", source.name(), idx + 1, text.trim()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn names_are_split_into_words() {
    let cases = [
        ("FieldManager", "field manager"),
        ("as_json", "as json"),
        ("HTTPDoor", "http door"),
        ("Crd", "crd"),
    ];
    for (name, split) in cases {
        assert_eq!(words(name).join(" "), split, "{name}");
    }
}
