//! Durations as Kubernetes writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

#[cfg(test)]
mod tests;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A signed duration with nanosecond resolution and the text form of Go: `1h30m`, `1m0s`, `-1.5s`.
///
/// Parsing accepts a sequence of decimal numbers with the units `h`, `m`, `s`, `ms`, `us`, `µs`, `ns`, or
/// a bare `0`; printing gives the one canonical form, `1h30m0s`.
///
/// # Source
/// <https://pkg.go.dev/time#ParseDuration> and `metav1.Duration` of the Kubernetes API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanoseconds: i64,
}

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is no duration such as 90s or 1h30m")]
pub struct DurationError {
    text: String,
}

impl Duration {
    /// The duration of no time.
    pub const ZERO: Self = Self { nanoseconds: 0 };

    /// Returns the same duration of the standard library, or `None` if it is negative.
    pub fn as_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.nanoseconds).ok().map(std::time::Duration::from_nanos)
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| DurationError { text: text.to_owned() })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanoseconds < 0 {
            f.write_str("-")?;
        }
        let magnitude = self.nanoseconds.unsigned_abs();
        let (second, minute, hour) = (SECOND as u64, MINUTE as u64, HOUR as u64);
        match magnitude {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{magnitude}ns"),
            1_000..1_000_000 => return write!(f, "{}µs", decimal(magnitude, 1_000)),
            1_000_000..1_000_000_000 => return write!(f, "{}ms", decimal(magnitude, 1_000_000)),
            _ => {}
        }
        if magnitude >= hour {
            write!(f, "{}h", magnitude / hour)?;
        }
        if magnitude >= minute {
            write!(f, "{}m", magnitude % hour / minute)?;
        }
        write!(f, "{}s", decimal(magnitude % minute, second))
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: i128 = 0;
    loop {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        total += scaled(number, nanoseconds_of(unit)?)?;
        if total > i128::from(i64::MAX) {
            return None;
        }
        rest = tail;
        if rest.is_empty() {
            let nanoseconds = i64::try_from(sign * total).ok()?;
            return Some(Duration { nanoseconds });
        }
    }
}

/// Returns `number × unit`, cutting what lies below a nanosecond.
fn scaled(number: &str, unit: i64) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let unit = i128::from(unit);
    let whole = if whole.is_empty() { 0 } else { i128::from(whole.parse::<i64>().ok()?) };
    // Beyond 18 places no unit leaves a whole nanosecond.
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? };
    Some(whole * unit + fraction * unit / scale)
}

fn nanoseconds_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// Returns `value / unit` in decimal without trailing zeros; `unit` is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let fraction = value % unit;
    if fraction == 0 {
        return (value / unit).to_string();
    }
    let places = unit.ilog10() as usize;
    let text = format!("{}.{fraction:0places$}", value / unit);
    text.trim_end_matches('0').to_owned()
}
