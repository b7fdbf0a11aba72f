//! Amounts of resources: CPU, memory, counts.

mod parse;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

const NANOS: i128 = 1_000_000_000;

/// Greatest magnitude: 10²⁸, far beyond any amount that Kubernetes counts.
const MAX_NANOS: i128 = 10_i128.pow(28) * NANOS;

/// An exact amount such as `100m`, `1.5Gi` or `1e3`.
///
/// Values are exact to a billionth; what is finer is rounded away from zero. A value remembers which family
/// of suffixes it was written with and is printed in that family's canonical form: no fraction, the
/// greatest suffix that needs none, so `1.5Gi` prints as `1536Mi` and `1000m` as `1`. Equality and order
/// look at the value alone: `1000m` equals `1`.
///
/// # Source
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    notation: Notation,
}

/// A family of suffixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    /// `n u m k M G T P E`.
    Decimal,
    /// `Ki Mi Gi Ti Pi Ei`.
    Binary,
    /// `e3`.
    Exponent,
}

/// The text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is no quantity such as 100m, 2 or 1.5Gi")]
pub struct QuantityError {
    text: String,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, notation: Notation::Decimal };

    /// Returns the quantity of a plain count.
    pub const fn from_count(count: i64) -> Self {
        Self { nanos: count as i128 * NANOS, notation: Notation::Decimal }
    }

    /// Returns whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Returns the exact value in billionths.
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// Returns the sum, printed as `self` is (or as `other` is when `self` is zero); `None` beyond 10²⁸.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let notation = if self.is_zero() { other.notation } else { self.notation };
        Self::bounded(self.nanos.checked_add(other.nanos)?, notation)
    }

    /// Returns the difference, printed as the sum is; `None` beyond 10²⁸.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { nanos: -other.nanos, ..other })
    }

    /// Returns the amount of `count` of these, such as the requests of all replicas; `None` beyond 10²⁸.
    #[must_use]
    pub fn checked_mul(self, count: i64) -> Option<Self> {
        Self::bounded(self.nanos.checked_mul(count.into())?, self.notation)
    }

    fn bounded(nanos: i128, notation: Notation) -> Option<Self> {
        (nanos.abs() <= MAX_NANOS).then_some(Self { nanos, notation })
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nanos.hash(state);
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse::quantity(text).ok_or_else(|| QuantityError { text: text.to_owned() })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let whole = self.nanos % NANOS == 0;
        // Small and fractional amounts have no exact binary form.
        if self.notation == Notation::Binary && whole && self.nanos.abs() >= 1024 * NANOS {
            let (amount, steps) = reduce(self.nanos / NANOS, 1024, 6);
            return write!(f, "{amount}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][steps]);
        }
        let (amount, steps) = reduce(self.nanos, 1000, 9);
        match self.notation {
            Notation::Exponent if steps == 3 => write!(f, "{amount}"),
            Notation::Exponent => write!(f, "{amount}e{}", steps as i64 * 3 - 9),
            _ => write!(f, "{amount}{}", ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][steps]),
        }
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// Takes a string, or a plain number as in `cpu: 2`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Count(i64),
            Fraction(f64),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Count(count) => return Ok(Self::from_count(count)),
            Written::Fraction(number) => number.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Divides by `base` as long as nothing is lost, at most `limit` times.
fn reduce(mut amount: i128, base: i128, limit: usize) -> (i128, usize) {
    let mut steps = 0;
    while steps < limit && amount % base == 0 {
        amount /= base;
        steps += 1;
    }
    (amount, steps)
}
