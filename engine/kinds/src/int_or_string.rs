//! Fields that take a number or a text: ports by number or name, counts absolute or in percent.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// An integer or a string.
///
/// # Source
/// `IntOrString` of the Kubernetes API: <https://pkg.go.dev/k8s.io/apimachinery/pkg/util/intstr>
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i32),
    /// A text, such as the name of a port or `25%`.
    String(String),
}

/// What becomes of the fraction when a percentage of a count is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards the greater count: `maxSurge`, and `minAvailable` of a disruption budget.
    Up,
    /// Towards the smaller count: `maxUnavailable` of a rolling update.
    Down,
}

impl IntOrString {
    /// Returns the absolute count this stands for out of `total`: a number itself, or a percentage of
    /// `total`. `None` if the text is no percentage or the result exceeds an `i64`.
    pub fn of_total(&self, total: i64, rounding: Rounding) -> Option<i64> {
        let percent: i64 = match self {
            Self::Int(count) => return Some(i64::from(*count)),
            Self::String(text) => text.strip_suffix('%')?.parse::<i32>().ok()?.into(),
        };
        let hundredths = percent.checked_mul(total)?;
        let floor = hundredths.div_euclid(100);
        Some(match rounding {
            Rounding::Up if hundredths.rem_euclid(100) != 0 => floor + 1,
            _ => floor,
        })
    }
}

impl FromStr for IntOrString {
    type Err = Infallible;

    /// Takes a text as a number if it is one, as kubectl does with ports on its command line.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::String(text.to_owned()), Self::Int))
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::String(text) => text.fmt(f),
        }
    }
}
