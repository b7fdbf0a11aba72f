//! Exact decimal numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bigdecimal::{BigDecimal, ToPrimitive, Zero};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest decimal exponent (either sign) that a number may be written with.
///
/// Printing a number writes all its digits, so the bound keeps output proportional to input.
const MAX_EXPONENT: i64 = 4096;

/// An exact decimal number of any size: `0.1 + 0.2` is `0.3`, and integers beyond 2^53 stay intact.
///
/// Invariant: a number that is integral and fits `i64` is always stored as [`Repr::Int`], and decimals are
/// normalised, so equality of representations is equality of values.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Int(i64),
    Decimal(Arc<BigDecimal>),
}

impl Number {
    /// Returns the exact value as a decimal.
    pub fn to_decimal(&self) -> BigDecimal {
        match &self.0 {
            Repr::Int(int) => BigDecimal::from(*int),
            Repr::Decimal(decimal) => BigDecimal::clone(decimal),
        }
    }

    /// Returns the value when it is integral and fits `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            Repr::Decimal(_) => None,
        }
    }

    /// Returns the nearest double, the form in which Kubernetes keeps fractional JSON numbers.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(int) => int.to_f64(),
            Repr::Decimal(decimal) => decimal.to_f64(),
        }
        .unwrap_or(f64::INFINITY)
    }

    /// Returns the number that a double stands for: its shortest decimal text, read exactly.
    ///
    /// Infinities and NaN have no decimal value and give `None`.
    pub fn from_f64(float: f64) -> Option<Self> {
        float.is_finite().then(|| format!("{float:e}").parse().ok()).flatten()
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Repr::Int(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        BigDecimal::from(int).into()
    }
}

impl From<BigDecimal> for Number {
    fn from(decimal: BigDecimal) -> Self {
        let decimal = decimal.normalized();
        if decimal.is_zero() {
            return Self(Repr::Int(0));
        }
        // `normalized` leaves an integral value with a scale of zero or less.
        match decimal.to_i64() {
            Some(int) if decimal.fractional_digit_count() <= 0 => Self(Repr::Int(int)),
            _ => Self(Repr::Decimal(Arc::new(decimal))),
        }
    }
}

/// The text is no decimal number, or its exponent is beyond ±4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        if let Ok(int) = text.parse::<i64>() {
            return Ok(int.into());
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
            return Err(NotANumber);
        }
        // Checked before the parse: the parser would accept an exponent that no memory can print.
        let exponent = text.split(['e', 'E']).nth(1);
        if let Some(exponent) = exponent {
            let exponent: i64 = exponent.parse().map_err(|_| NotANumber)?;
            if exponent.abs() > MAX_EXPONENT {
                return Err(NotANumber);
            }
        }
        text.parse::<BigDecimal>().map(Self::from).map_err(|_| NotANumber)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(int) => write!(f, "{int}"),
            Repr::Decimal(decimal) => f.write_str(&decimal.to_plain_string()),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => self.to_decimal().cmp(&other.to_decimal()),
        }
    }
}

/// Integers are written as integers, everything else as the nearest double: what a Kubernetes API server
/// keeps of a JSON number (`int64` or `float64`).
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Int(int) => serializer.serialize_i64(*int),
            Repr::Decimal(decimal) => match decimal.to_u64() {
                Some(int) if decimal.fractional_digit_count() <= 0 => serializer.serialize_u64(int),
                _ => serializer.serialize_f64(self.to_f64()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match crate::value::Value::deserialize(deserializer)? {
            crate::value::Value::Number(number) => Ok(number),
            other => {
                Err(serde::de::Error::custom(format_args!("expected a number, found {}", other.kind_name())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_canonical() {
        for (text, want) in [
            ("0.1", "0.1"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551616", "18446744073709551616"),
            ("-0", "0"),
            ("1.50", "1.5"),
            ("1e-7", "0.0000001"),
        ] {
            let number: Number = text.parse().unwrap();
            assert_eq!(number.to_string(), want, "{text}");
            assert_eq!(number, want.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in ["", "x", "1e99999", "1e", "0x10", "NaN", "1_000", "--1"] {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text}");
        }
    }

    #[test]
    fn doubles_read_as_their_shortest_text() {
        assert_eq!(Number::from_f64(0.1).unwrap().to_string(), "0.1");
        assert_eq!(Number::from_f64(f64::NAN), None);
    }
}
