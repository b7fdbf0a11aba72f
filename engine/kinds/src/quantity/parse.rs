//! The grammar of quantities: a decimal number and a suffix.

use super::{MAX_NANOS, NANOS, Notation, Quantity};

/// Greatest amount with a binary suffix, as Kubernetes caps it.
const MAX_BINARY_NANOS: i128 = i64::MAX as i128 * NANOS;

/// Parses a whole text; `None` if it is no quantity.
pub(super) fn quantity(text: &str) -> Option<Quantity> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let (notation, exponent) = scale(suffix)?;
    let magnitude = match notation {
        Notation::Binary => binary(whole, fraction, exponent),
        _ => decimal(whole, fraction, exponent),
    };
    // Less than one of anything reads better without a binary suffix.
    let notation =
        if magnitude < NANOS && notation == Notation::Binary { Notation::Decimal } else { notation };
    Some(Quantity { nanos: sign * magnitude, notation })
}

/// Returns the family of a suffix and its power, of two for a binary one and else of ten.
fn scale(suffix: &str) -> Option<(Notation, i32)> {
    Some(match suffix {
        "n" => (Notation::Decimal, -9),
        "u" => (Notation::Decimal, -6),
        "m" => (Notation::Decimal, -3),
        "" => (Notation::Decimal, 0),
        "k" => (Notation::Decimal, 3),
        "M" => (Notation::Decimal, 6),
        "G" => (Notation::Decimal, 9),
        "T" => (Notation::Decimal, 12),
        "P" => (Notation::Decimal, 15),
        "E" => (Notation::Decimal, 18),
        "Ki" => (Notation::Binary, 10),
        "Mi" => (Notation::Binary, 20),
        "Gi" => (Notation::Binary, 30),
        "Ti" => (Notation::Binary, 40),
        "Pi" => (Notation::Binary, 50),
        "Ei" => (Notation::Binary, 60),
        _ => (Notation::Exponent, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

/// Returns billionths of `whole.fraction × 10^exponent`, rounded up and capped.
fn decimal(whole: &str, fraction: &str, exponent: i32) -> i128 {
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return 0;
    }
    let shift = i64::from(exponent) + 9 - fraction.len() as i64;
    let places = digits.len() as i64 + shift;
    if places > 38 {
        return MAX_NANOS;
    }
    if places <= 0 {
        return 1;
    }
    let (kept, dropped) = digits.split_at((places as usize).min(digits.len()));
    let zeros = u32::try_from(shift).unwrap_or(0);
    let nanos = parse_digits(kept) * 10_i128.pow(zeros) + rounding(dropped);
    nanos.min(MAX_NANOS)
}

/// Returns billionths of `whole.fraction × 2^exponent`, rounded up and capped.
fn binary(whole: &str, fraction: &str, exponent: i32) -> i128 {
    let whole = whole.trim_start_matches('0');
    if whole.len() > 19 {
        return MAX_BINARY_NANOS;
    }
    let factor = 1_i128 << exponent;
    let units = parse_digits(whole).saturating_mul(factor).saturating_mul(NANOS);
    // Nineteen places of a fraction times 2⁶⁰ still fit; what lies below is far less than a billionth of
    // any amount that needs a binary suffix, and rounds up.
    let (fraction, below) = fraction.split_at(fraction.len().min(19));
    let parts = (parse_digits(fraction) + rounding(below)) * factor;
    let parts = match 10_i128.checked_pow(fraction.len().saturating_sub(9) as u32) {
        Some(divisor) if fraction.len() > 9 => (parts + divisor - 1) / divisor,
        _ => parts * 10_i128.pow(9_usize.saturating_sub(fraction.len()) as u32),
    };
    units.saturating_add(parts).min(MAX_BINARY_NANOS)
}

/// Parses at most 38 digits; no digits are zero.
fn parse_digits(digits: &str) -> i128 {
    digits.bytes().fold(0, |number, digit| number * 10 + i128::from(digit - b'0'))
}

fn rounding(dropped: &str) -> i128 {
    i128::from(dropped.bytes().any(|digit| digit != b'0'))
}
