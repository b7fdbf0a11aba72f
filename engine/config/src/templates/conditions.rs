//! What the conditions of a template refer to.
//!
//! The template engine takes an attribute that does not exist for "no" in a condition, so a misspelt one would go
//! unseen. Conditions are therefore read for what they refer to, and it must be there unless the condition asks.
//! Names that `for` and `set` bind, and the bodies of components, are left to the engine.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What the conditions of one template refer to, and which other templates it takes in.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) paths: Vec<ConditionPath>,
    pub(super) uses: Vec<String>,
}

/// A name with attributes: `web.tls.enabled`.
#[derive(Debug)]
pub(super) struct ConditionPath {
    pub(super) steps: Vec<String>,
    pub(super) range: Range<usize>,
}

impl Conditions {
    /// Reads a template.
    pub(super) fn read(text: &str) -> Self {
        let text = blanked(&IGNORED, text);
        let uses = captured(&USES, &text).map(str::to_owned).collect();
        let bound: Vec<&str> =
            captured(&BOUND, &text).flat_map(|names| names.split(',')).map(str::trim).collect();
        let mut paths = Vec::new();
        for tag in CONDITION.captures_iter(&text).filter_map(|found| found.get(1)) {
            let condition = blanked(&QUOTED, tag.as_str());
            paths.extend(paths_of(&condition, tag.start(), &bound));
        }
        Self { paths, uses }
    }
}

fn paths_of(condition: &str, start: usize, bound: &[&str]) -> Vec<ConditionPath> {
    let found: Vec<_> = PATH.find_iter(condition).collect();
    let asked = |rest: &str| rest.starts_with('?') || ASKED.is_match(rest);
    let asked_for: Vec<&str> =
        found.iter().filter(|path| asked(&condition[path.end()..])).map(regex::Match::as_str).collect();
    let is_asked = |path: &str| {
        asked_for.iter().any(|asked| {
            path.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let plain = found.into_iter().filter(|path| {
        let before = condition[..path.start()].chars().next_back();
        let part_of_more = before.is_some_and(|char| char.is_alphanumeric() || "_.?".contains(char));
        !part_of_more && !is_asked(path.as_str())
    });
    let paths = plain.map(|path| ConditionPath {
        steps: path.as_str().split('.').map(str::to_owned).collect(),
        range: start + path.start()..start + path.end(),
    });
    paths.filter(|path| !bound.contains(&path.steps[0].as_str())).collect()
}

/// Returns the text with what a pattern finds replaced by spaces: places stay where they are.
fn blanked(pattern: &Regex, text: &str) -> String {
    let blank = |found: &regex::Captures<'_>| " ".repeat(found[0].len());
    pattern.replace_all(text, blank).into_owned()
}

fn captured<'t>(pattern: &Regex, text: &'t str) -> impl Iterator<Item = &'t str> {
    pattern.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str())
}

/// Compiles one of the patterns below.
#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and every test of templates compiles them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are well formed")
}

static IGNORED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s)\{#.*?#\}|\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}|\{%-?\s*component\b.*?\{%-?\s*endcomponent\b.*?%\}",
    )
});
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#""[^"]*"|'[^']*'|`[^`]*`"#));
static CONDITION: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)\{%-?\s*(?:if|elif)\s(.*?)%\}"));
static USES: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\{%-?\s*(?:include|extends)\s+["'`]([^"'`]+)"#));
static BOUND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\{%-?\s*(?:for|set|set_global)\s+(\w+(?:\s*,\s*\w+)?)"));
static PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+"));
static ASKED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s+is\s+(?:not\s+)?(?:defined|undefined)\b|^\s*\|\s*default\b"));
