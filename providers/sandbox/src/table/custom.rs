//! Cells of custom resources: simple JSON paths.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubectl/jsonpath/>

use serde_json::{Value, json};

use super::text;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of an object.
    Member(String),
    /// The element at an index; from the end, if it is negative.
    Element(i64),
    /// Every element or member.
    Every,
    /// Every element of which a member, by JSON pointer, is this text.
    Where(String, String),
}

/// Reads a path as `.spec.containers[0].image`. What cannot be read ends it.
pub(super) fn parse(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path.trim_start_matches('$');
    while let Some((step, following)) = next(rest) {
        steps.push(step);
        rest = following;
    }
    steps
}

fn next(rest: &str) -> Option<(Step, &str)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let end = closing(inner)?;
        return Some((bracket(&inner[..end])?, &inner[end + 1..]));
    }
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let mut name = String::new();
    let mut chars = rest.char_indices();
    let end = loop {
        match chars.next() {
            None => break rest.len(),
            Some((_, '\\')) => name.extend(chars.next().map(|(_, c)| c)),
            Some((at, '.' | '[')) => break at,
            Some((_, c)) => name.push(c),
        }
    };
    match name.as_str() {
        "" => None,
        "*" => Some((Step::Every, &rest[end..])),
        _ => Some((Step::Member(name), &rest[end..])),
    }
}

// A bracket in quotes closes nothing.
fn closing(inner: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, ']') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Option<Step> {
    let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    if let Some(filter) = inner.strip_prefix("?(").and_then(|filter| filter.strip_suffix(')')) {
        let (member, wanted) = filter.split_once("==")?;
        let pointer = member.trim().strip_prefix('@')?.replace('.', "/");
        return Some(Step::Where(pointer, unquoted(wanted)));
    }
    match inner {
        "*" => Some(Step::Every),
        _ if inner.starts_with(['"', '\'']) => Some(Step::Member(unquoted(inner))),
        _ => inner.parse().ok().map(Step::Element),
    }
}

/// The cell of a column: the first value of the path, in the form of the column's type, or null.
pub(super) fn cell(steps: &[Step], kind: &str, object: &Value) -> Value {
    let mut found = vec![object];
    for step in steps {
        found = found.into_iter().flat_map(|value| follow(step, value)).collect();
    }
    let Some(value) = found.first().filter(|_| !steps.is_empty()) else { return Value::Null };
    match (kind, value) {
        (_, Value::Null) if kind != "string" => Value::Null,
        ("string", Value::String(_)) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => {
            (*value).clone()
        }
        ("string", other) => json!(other.to_string()),
        ("integer", Value::Number(number)) => number.as_i64().map_or(Value::Null, |number| json!(number)),
        ("date", Value::String(_)) => json!(text::since(Some(value), "<unknown>")),
        _ => Value::Null,
    }
}

fn follow<'a>(step: &Step, value: &'a Value) -> Vec<&'a Value> {
    match (step, value) {
        (Step::Member(name), _) => value.get(name).into_iter().collect(),
        (Step::Every, Value::Array(items)) => items.iter().collect(),
        (Step::Every, Value::Object(members)) => members.values().collect(),
        (Step::Element(index), Value::Array(items)) => {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let index = if *index < 0 { index + length } else { *index };
            usize::try_from(index).ok().and_then(|index| items.get(index)).into_iter().collect()
        }
        (Step::Where(pointer, wanted), Value::Array(items)) => {
            let is_meant = |item: &&Value| match item.pointer(pointer) {
                Some(Value::String(text)) => text == wanted,
                Some(other) => serde_json::from_str(wanted).is_ok_and(|wanted: Value| wanted == *other),
                None => false,
            };
            items.iter().filter(is_meant).collect()
        }
        _ => Vec::new(),
    }
}
