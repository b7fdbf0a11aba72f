//! Functions on points in time. The clock is fixed for a run.

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
            Ok(ExprValue::string(later.to_string()))
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
    call.text(idx)?.parse().map_err(|_| {
        FunctionError::argument(idx, "a time is required as RFC 3339 has it: 2026-03-01T00:00:00Z")
    })
}

/// Reads a duration: numbers, each with a unit of h, m, s, ms, us or ns.
fn duration(call: &Call<'_>, idx: usize) -> Result<SignedDuration, FunctionError> {
    let invalid = || FunctionError::argument(idx, "a duration is required, such as 1h30m or -10s");
    let text = call.text(idx)?.as_str();
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut nanos: f64 = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(invalid)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_nanos = match unit {
            "h" => 3.6e12,
            "m" => 6e10,
            "s" => 1e9,
            "ms" => 1e6,
            "us" => 1e3,
            "ns" => 1.0,
            _ => return Err(invalid()),
        };
        nanos += number.parse::<f64>().map_err(|_| invalid())? * unit_nanos;
        rest = tail;
    }
    if text.is_empty() {
        return Err(invalid());
    }
    let size = SignedDuration::try_from_secs_f64(nanos / 1e9).map_err(|_| invalid())?;
    Ok(if negative { -size } else { size })
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
            let (literal, tail) = quoted
                .split_once('\'')
                .ok_or_else(|| FunctionError::argument(0, "a single quote is not closed"))?;
            text.push_str(literal);
            rest = tail;
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
