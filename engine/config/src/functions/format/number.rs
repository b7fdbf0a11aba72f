//! Numbers in the forms that verbs ask for, worked out from their exact decimal digits.

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode, Zero};
use engine_core::value::Number;

/// Returns a whole number in the base of a verb; `None` for any other number. With `marked` it says which base.
pub(super) fn integer(number: &Number, letter: char, marked: bool) -> Option<String> {
    let decimal = number.to_decimal();
    if !decimal.is_integer() {
        return None;
    }
    let (int, _) = decimal.with_scale(0).into_bigint_and_exponent();
    let (base, mark) = match letter {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let size = BigInt::from(int.magnitude().clone()).to_str_radix(base);
    let size = if letter == 'X' { size.to_uppercase() } else { size };
    let sign = if int.sign() == Sign::Minus { "-" } else { "" };
    Some(format!("{sign}{}{size}", if marked { mark } else { "" }))
}

/// Returns a number in the decimal form of a verb.
pub(super) fn decimal(number: &Number, letter: char, precision: Option<usize>) -> String {
    let decimal = number.to_decimal();
    match letter {
        'f' | 'F' => fixed(&decimal, precision.unwrap_or(6)),
        'e' | 'E' => scientific(&decimal, precision.unwrap_or(6), letter),
        letter => general(&decimal, precision, letter),
    }
}

fn fixed(decimal: &BigDecimal, places: usize) -> String {
    let scale = i64::try_from(places).unwrap_or(0);
    let rounded = decimal.with_scale_round(scale, RoundingMode::HalfEven);
    let text = rounded.to_plain_string();
    // What rounds to zero keeps its sign.
    if rounded.is_zero() && decimal.sign() == Sign::Minus { format!("-{text}") } else { text }
}

/// Returns `d.ddde+dd` with so many digits behind the point.
fn scientific(decimal: &BigDecimal, places: usize, letter: char) -> String {
    let digits = Digits::of(decimal, Some(places + 1));
    let (first, rest) = digits.text.split_at(1);
    let rest = format!("{rest:0<places$}");
    let point = if rest.is_empty() { "" } else { "." };
    let (sign, exponent) = (if digits.exponent < 0 { '-' } else { '+' }, digits.exponent.unsigned_abs());
    format!("{}{first}{point}{rest}{letter}{sign}{exponent:02}", digits.sign)
}

/// Returns one of the two other forms: scientific for very small numbers, and for those with more digits before the
/// point than were asked for (6 if none were).
fn general(decimal: &BigDecimal, precision: Option<usize>, letter: char) -> String {
    // Asked for none, one is shown.
    let digits = Digits::of(decimal, precision.map(|precision| precision.max(1)));
    let count = i64::try_from(digits.text.len()).unwrap_or(i64::MAX);
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = i64::try_from(precision.max(1)).unwrap_or(i64::MAX);
            if precision > count && count > digits.exponent { count } else { precision }
        }
    };
    if digits.exponent < -4 || digits.exponent >= limit {
        let e = if letter == 'G' { 'E' } else { 'e' };
        return scientific(decimal, digits.text.len() - 1, e);
    }
    let places = usize::try_from((count - 1 - digits.exponent).max(0)).unwrap_or(0);
    fixed(decimal, places)
}

/// The significant digits of a number: `sign d.ddd × 10^exponent`.
struct Digits {
    sign: &'static str,
    text: String,
    exponent: i64,
}

impl Digits {
    /// Rounds to so many digits, or keeps all; zeros at the end are left out.
    fn of(decimal: &BigDecimal, most: Option<usize>) -> Self {
        let sign = if decimal.sign() == Sign::Minus { "-" } else { "" };
        if decimal.is_zero() {
            return Self { sign, text: "0".to_owned(), exponent: 0 };
        }
        let first = i64::try_from(decimal.digits()).unwrap_or(0) - decimal.fractional_digit_count();
        let rounded = match most.and_then(|most| i64::try_from(most).ok()) {
            Some(most) => decimal.with_scale_round(most - first, RoundingMode::HalfEven),
            None => decimal.clone(),
        };
        let rounded = rounded.normalized();
        let exponent = i64::try_from(rounded.digits()).unwrap_or(0) - rounded.fractional_digit_count() - 1;
        let (int, _) = rounded.into_bigint_and_exponent();
        Self { sign, text: int.magnitude().to_string(), exponent }
    }
}
