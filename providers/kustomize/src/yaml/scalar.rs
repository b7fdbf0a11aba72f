//! What scalars mean: Go's numbers, booleans, nulls and timestamps.

use std::sync::LazyLock;

use engine_core::value::{Number, Value};
use regex::Regex;

use super::Dialect;

/// Returns what a plain scalar means.
///
/// # Source
/// The resolver of go-yaml versions 2 (kubectl, the API server) and 3 (Kustomize).
pub fn resolve(text: &str, dialect: Dialect) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::Kubernetes => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::Kubernetes => {
            return Value::Bool(false);
        }
        _ => {}
    }
    match text.as_bytes()[0] {
        b'0'..=b'9' | b'+' | b'-' => {
            if dialect == Dialect::Kustomize
                && let Some(timestamp) = timestamp(text)
            {
                return Value::string(timestamp);
            }
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| float(&plain))
        }
        b'.' => float(text),
        _ => None,
    }
    .map_or_else(|| Value::string(text), Value::Number)
}

/// Reads what Go's `strconv.ParseInt(text, 0, 64)` reads, unsigned 64-bit numbers included.
pub(super) fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        let value = 0i64.checked_sub_unsigned(magnitude)?;
        return Some(value.into());
    }
    Some(magnitude.into())
}

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").expect("the pattern is valid")
});

/// Reads a decimal fraction as the nearest double, as Go does; one that is out of range stays text.
pub(super) fn float(text: &str) -> Option<Number> {
    if !FLOAT.is_match(text) {
        return None;
    }
    Number::from_f64(text.parse().ok()?)
}

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})",
        r"(?:([Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?)?$"
    ))
    .expect("the pattern is valid")
});

/// Returns the RFC 3339 form of a YAML timestamp.
pub(super) fn timestamp(text: &str) -> Option<String> {
    // The pattern needs four digits and a dash: most scalars are turned away before it runs.
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let parts = TIMESTAMP.captures(text)?;
    let number =
        |group: usize| -> u32 { parts.get(group).and_then(|part| part.as_str().parse().ok()).unwrap_or(0) };
    let (year, month, day) = (number(1), number(2), number(3));
    let (hour, minute, second) = (number(5), number(6), number(7));
    let zone = parts.get(9).map(|zone| zone.as_str());
    // A time of day after `T` needs a zone, one after a blank must not have it.
    if parts.get(4).is_some_and(|separator| (separator.as_str() == " ") == zone.is_some()) {
        return None;
    }
    if day == 0 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = parts.get(8).map_or("", |part| part.as_str().trim_end_matches('0').trim_end_matches('.'));
    let zone = match zone {
        None | Some("+00:00" | "-00:00") => "Z",
        Some(zone) => zone,
    };
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}
