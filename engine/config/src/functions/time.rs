//! Functions on points in time. The clock is fixed for a run.

use bigdecimal::{BigDecimal, ToPrimitive};
use jiff::{SignedDuration, Timestamp, tz::Offset, tz::TimeZone};

use super::{Call, FunctionError, Row, plain};
use crate::expr_value::ExprValue;
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("formatdate(format: string, time: string) -> string",
        "Returns the time as the format says: YYYY, MM, DD, hh, mm, ss, EEE, Z and so on; other letters in single quotes.",
        r#"formatdate("DD MMM YYYY hh:mm ZZZ", "2026-03-01T09:05:00Z") == "01 Mar 2026 09:05 UTC""#, format_date),
    plain("plantimestamp() -> string", "Returns the time of the plan.",
        r#"plantimestamp() == timestamp()"#, now),
    plain("timeadd(time: string, duration: string) -> string", "Returns the time later by the duration: 1h30m, -10s.",
        r#"timeadd("2026-03-01T00:00:00Z", "1h30m") == "2026-03-01T01:30:00Z""#, |call| {
            let (time, duration) = (time(call, 0)?, duration(call, 1)?);
            let later = time.checked_add(duration).map_err(|_| FunctionError::failed("the time is out of range"))?;
            let offset = offset(call.text(0)?);
            let pattern = if offset == Offset::UTC { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%:z" };
            Ok(ExprValue::string(later.to_zoned(TimeZone::fixed(offset)).strftime(pattern).to_string()))
        }),
    plain("timecmp(a: string, b: string) -> number", "Returns -1, 0 or 1: whether the first time is before, at or after the second.",
        r#"timecmp("2026-03-01T00:00:00Z", "2026-03-01T01:00:00+01:00") == 0"#,
        |call| Ok(ExprValue::number(time(call, 0)?.cmp(&time(call, 1)?) as i64))),
    plain("timestamp() -> string", "Returns the time of the run, the same everywhere in it.",
        r#"startswith(timestamp(), "20")"#, now),
];

fn now(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let clock = call.context.clock();
    Ok(clock.map_or_else(|| ExprValue::unknown(Type::String), |now| ExprValue::string(format!("{now:.0}"))))
}

fn time(call: &Call<'_>, idx: usize) -> Result<Timestamp, FunctionError> {
    let text = call.text(idx)?;
    let parsed = if is_rfc3339(text) { text.parse().ok() } else { None };
    parsed.ok_or_else(|| {
        FunctionError::argument(idx, "a time is required as RFC 3339 has it: 2026-03-01T00:00:00Z")
    })
}

/// Tells whether a time is written in full, which the parser does not ask for.
fn is_rfc3339(text: &str) -> bool {
    let mut chars = text.chars();
    let head = "0000-00-00T00:00:00".chars().all(|wanted| {
        chars.next().is_some_and(|char| if wanted == '0' { char.is_ascii_digit() } else { char == wanted })
    });
    let rest = chars.as_str();
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = zone.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':'));
    head && (zone == "Z" || offset.is_some_and(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2))
}

/// Reads a duration: numbers, each with a unit of h, m, s, ms, us or ns.
fn duration(call: &Call<'_>, idx: usize) -> Result<SignedDuration, FunctionError> {
    let text = call.text(idx)?.as_str();
    let (negative, size) = match text.strip_prefix(['-', '+']) {
        Some(size) => (text.starts_with('-'), size),
        None => (false, text),
    };
    let nanos = if size == "0" { Some(0) } else { nanoseconds(size) };
    let nanos =
        nanos.ok_or_else(|| FunctionError::argument(idx, "a duration is required, such as 1h30m or -10s"))?;
    Ok(SignedDuration::from_nanos(if negative { -nanos } else { nanos }))
}

fn nanoseconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut nanos = BigDecimal::from(0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_nanos: i64 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" | "μs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        nanos += number.parse::<BigDecimal>().ok()? * BigDecimal::from(unit_nanos);
        rest = tail;
    }
    // Text without a number is no duration.
    (!text.is_empty()).then(|| nanos.to_i64()).flatten()
}

/// # Source
/// Documentation of `OpenTofu`, "formatdate Function".
fn format_date(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let written = call.text(1)?;
    let zoned = time(call, 1)?.to_zoned(TimeZone::fixed(offset(written)));
    let mut text = String::new();
    let mut rest = call.text(0)?.as_str();
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            rest = push_quoted(&mut text, quoted)?;
            continue;
        }
        let length = rest.find(|c| c != first).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(length);
        match pattern(run) {
            Some(pattern) => text.push_str(&zoned.strftime(pattern).to_string()),
            None if run == "ZZZ" && zoned.offset() == Offset::UTC => text.push_str("UTC"),
            None if run == "ZZZ" || run == "ZZZZ" => text.push_str(&zoned.strftime("%z").to_string()),
            None if run == "Z" && zoned.offset() == Offset::UTC => text.push('Z'),
            None if run == "Z" || run == "ZZZZZ" => text.push_str(&zoned.strftime("%:z").to_string()),
            None if first.is_ascii_alphabetic() => {
                let message = format!("the format has no sequence {run:?}; letters stand in single quotes");
                return Err(FunctionError::argument(0, message));
            }
            None => text.push_str(run),
        }
        rest = tail;
    }
    Ok(ExprValue::string(text))
}

/// Adds text up to the closing quote and returns what follows it; two quotes in a row stand for one.
fn push_quoted<'a>(text: &mut String, mut quoted: &'a str) -> Result<&'a str, FunctionError> {
    loop {
        let (literal, tail) = quoted
            .split_once('\'')
            .ok_or_else(|| FunctionError::argument(0, "a single quote is not closed"))?;
        text.push_str(literal);
        match tail.strip_prefix('\'') {
            Some(more) => {
                text.push('\'');
                quoted = more;
            }
            None => return Ok(tail),
        }
    }
}

/// Returns the offset that a time is written with, which is also the one it is shown with.
fn offset(written: &str) -> Offset {
    let pieces = jiff::fmt::temporal::Pieces::parse(written);
    let offset = pieces.ok().and_then(|pieces| pieces.to_numeric_offset());
    offset.unwrap_or(Offset::UTC)
}

fn pattern(run: &str) -> Option<&'static str> {
    Some(match run {
        "YYYY" => "%Y",
        "YY" => "%y",
        "MMMM" => "%B",
        "MMM" => "%b",
        "MM" => "%m",
        "M" => "%-m",
        "DD" => "%d",
        "D" => "%-d",
        "EEEE" => "%A",
        "EEE" => "%a",
        "hh" => "%H",
        "h" => "%-H",
        "HH" => "%I",
        "H" => "%-I",
        "AA" => "%p",
        "aa" => "%P",
        "mm" => "%M",
        "m" => "%-M",
        "ss" => "%S",
        "s" => "%-S",
        _ => return None,
    })
}
