//! What others say of a manifest, without its secrets.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::manifest::Manifest;
use crate::sensitive::SensitivePaths;
use crate::value::Value;

/// What stands in a message where a secret stood.
const WITHHELD: &str = "(sensitive value)";

/// A text of fewer characters is found only as a whole word: `a` is no secret inside `name`.
const SHORT_CHARS: usize = 4;

/// Returns a message about a manifest without the manifest's sensitive values.
///
/// API servers and webhooks quote the values they refuse. Every occurrence of a sensitive scalar is withheld: as
/// it is, in base64, and as JSON writes it. A scalar that is short, or that may be written in other ways, also
/// costs the message everything that it has in double quotes.
pub fn redact(message: &str, manifest: &Manifest) -> String {
    let mut secrets = Vec::new();
    collect(manifest.body(), manifest.sensitive(), &mut secrets);
    if manifest.object_ref().kind.is("", "Secret") {
        // Whoever decodes a Secret may also quote what is in it.
        let decoded = secrets.iter().filter_map(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
        let decoded: Vec<String> = decoded.collect();
        secrets.extend(decoded);
    }
    secrets.retain(|secret| !secret.is_empty());
    let mut withheld: Vec<Range<usize>> = Vec::new();
    if !secrets.iter().all(|secret| is_plain(secret)) {
        withheld.extend(quoted(message));
    }
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        withheld.extend(occurrences(message, &form));
    }
    without(message, withheld)
}

/// Collects all scalars below sensitive fields, as text.
fn collect(value: &Value, sensitive: &SensitivePaths, found: &mut Vec<String>) {
    match value {
        Value::Map(map) => {
            for (name, field) in map.iter() {
                if sensitive.is_all() {
                    collect(field, sensitive, found);
                } else if let Some(below) = sensitive.field(name) {
                    collect(field, below, found);
                }
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, sensitive, found)),
        Value::Null => {}
        Value::String(text) if sensitive.is_all() => found.push(text.to_string()),
        scalar if sensitive.is_all() => found.push(scalar.to_string()),
        _ => {}
    }
}

/// Tells whether a text is long enough to be found, and is quoted by everybody in the same way.
fn is_plain(text: &str) -> bool {
    let same_in_quotes = |c: char| (c.is_ascii_graphic() || c == ' ') && !"\"\\<>&".contains(c);
    !is_short(text) && text.chars().all(same_in_quotes)
}

fn is_short(text: &str) -> bool {
    text.chars().count() < SHORT_CHARS
}

/// Returns the ways in which a message may hold a secret.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), STANDARD.encode(secret)];
    let json = Value::string(secret).to_string();
    forms.extend(json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).map(str::to_owned));
    forms.extend(secret.lines().map(|line| line.trim().to_owned()));
    forms.retain(|form| !form.is_empty());
    forms.sort();
    forms.dedup();
    forms
}

fn occurrences(message: &str, form: &str) -> impl Iterator<Item = Range<usize>> {
    let is_short = is_short(form);
    message.match_indices(form).map(|(start, found)| start..start + found.len()).filter(move |range| {
        let before = message[..range.start].chars().next_back();
        let after = message[range.end..].chars().next();
        !is_short || !before.into_iter().chain(after).any(char::is_alphanumeric)
    })
}

/// Returns what stands in double quotes, quotes included; a quote that never ends ends with the message.
fn quoted(message: &str) -> Vec<Range<usize>> {
    let (mut ranges, mut start, mut escaped) = (Vec::new(), None, false);
    for (at, c) in message.char_indices() {
        match (c, start) {
            _ if escaped => escaped = false,
            ('\\', Some(_)) => escaped = true,
            ('"', None) => start = Some(at),
            ('"', Some(begin)) => {
                ranges.push(begin..at + 1);
                start = None;
            }
            _ => {}
        }
    }
    ranges.extend(start.map(|begin| begin..message.len()));
    ranges
}

/// Writes the marker in place of the ranges; those that touch become one.
fn without(message: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| (range.start, range.end));
    let (mut text, mut end) = (String::with_capacity(message.len()), 0);
    for range in ranges {
        if range.start > end || text.is_empty() {
            text.push_str(&message[end..range.start]);
            text.push_str(WITHHELD);
        }
        end = end.max(range.end);
    }
    text.push_str(&message[end..]);
    text
}

#[cfg(test)]
mod tests;
