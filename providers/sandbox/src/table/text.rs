//! Texts that many cells share.

use jiff::Timestamp;
use serde_json::Value;

use crate::meta;

/// How long ago a time was, or `absent` if there is none.
pub(super) fn since(time: Option<&Value>, absent: &str) -> String {
    match time.and_then(Value::as_str).filter(|text| !text.is_empty()) {
        None => absent.to_owned(),
        Some(text) => text.parse::<Timestamp>().map_or_else(
            |_| "<invalid>".to_owned(),
            |time| duration(Timestamp::now().as_second() - time.as_second()),
        ),
    }
}

/// A number of seconds, with the two or three digits that matter to a reader.
///
/// # Source
/// `HumanDuration` of <https://pkg.go.dev/k8s.io/apimachinery/pkg/util/duration>
pub(super) fn duration(seconds: i64) -> String {
    const YEAR: i64 = 365;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    let pair = |big: i64, unit: char, small: i64, small_unit: char| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 120 => format!("{seconds}s"),
        _ if minutes < 10 => pair(minutes, 'm', seconds % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => pair(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => pair(days, 'd', hours % 24, 'h'),
        _ if days < 2 * YEAR => format!("{days}d"),
        _ if days < 8 * YEAR => pair(days / YEAR, 'y', days % YEAR, 'd'),
        _ => format!("{}y", days / YEAR),
    }
}

/// Labels as `a=b,c=d`.
pub(super) fn labels(labels: Option<&Value>) -> String {
    let pairs = labels.and_then(Value::as_object).into_iter().flatten();
    let mut texts: Vec<_> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    texts.sort();
    or_none(texts.join(","))
}

/// A label selector as kubectl's `-l` takes it.
pub(super) fn selector(selector: Option<&Value>) -> String {
    let Some(selector) = selector else { return "<none>".to_owned() };
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    let mut terms: Vec<(String, String)> = pairs
        .map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())))
        .collect();
    for expression in meta::items(&selector["matchExpressions"]) {
        let key = expression["key"].as_str().unwrap_or_default();
        let mut values = meta::strings(&expression["values"]);
        values.sort_unstable();
        let values = values.join(",");
        let term = match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        };
        terms.push((key.to_owned(), term));
    }
    terms.sort_by(|one, other| one.0.cmp(&other.0));
    or_none(terms.into_iter().map(|(_, term)| term).collect::<Vec<_>>().join(","))
}

/// The text, or `<none>` if it is empty.
pub(super) fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

/// The first three of a list, and how many follow.
pub(super) fn first_three(list: &[String], absent: &str) -> String {
    match list.len() {
        0 => absent.to_owned(),
        count @ 1..=3 => list[..count].join(","),
        count => format!("{} + {} more...", list[..3].join(","), count - 3),
    }
}
