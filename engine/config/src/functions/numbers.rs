//! Functions on numbers.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, Zero};
use engine_core::value::Number;

use super::{Call, FunctionError, Row, plain};
use crate::eval::bounded;
use crate::expr_value::ExprValue;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("abs(number: number) -> number", "Returns the number without its sign.",
        "abs(-1.5) == 1.5", |call| Ok(number(call.number(0)?.to_decimal().abs()))),
    plain("ceil(number: number) -> number", "Returns the smallest whole number that is not less.",
        "ceil(5.1) == 6 && ceil(-5.9) == -5", |call| Ok(number(whole(call.number(0)?, bigdecimal::RoundingMode::Ceiling)))),
    plain("floor(number: number) -> number", "Returns the largest whole number that is not greater.",
        "floor(5.9) == 5 && floor(-5.1) == -6", |call| Ok(number(whole(call.number(0)?, bigdecimal::RoundingMode::Floor)))),
    plain("max(first: number, rest...: number) -> number", "Returns the greatest of the numbers.",
        "max(3, 12, 9) == 12", |call| extreme(call, |new, best| new > best)),
    plain("min(first: number, rest...: number) -> number", "Returns the smallest of the numbers.",
        "min(3, 12, 9) == 3", |call| extreme(call, |new, best| new < best)),
    plain("parseint(text: string, base: number) -> number", "Returns the whole number that the text is in a base from 2 to 36.",
        r#"parseint("ff", 16) == 255"#, parse_int),
    plain("pow(number: number, exponent: number) -> number", "Returns the power, exact for whole exponents from 0.",
        "pow(2, 100) == 1267650600228229401496703205376", power),
    plain("signum(number: number) -> number", "Returns -1, 0 or 1: the sign of the number.",
        "signum(-7) == -1", |call| Ok(ExprValue::number(call.number(0)?.cmp(&Number::from(0_i64)) as i64))),
];

fn number(decimal: BigDecimal) -> ExprValue {
    ExprValue::number(decimal)
}

fn whole(number: &Number, mode: bigdecimal::RoundingMode) -> BigDecimal {
    match number.as_i64() {
        Some(int) => int.into(),
        None => number.to_decimal().with_scale_round(0, mode),
    }
}

fn extreme(call: &Call<'_>, better: impl Fn(&Number, &Number) -> bool) -> Result<ExprValue, FunctionError> {
    let mut best = call.number(0)?;
    for idx in 1..call.arguments.len() {
        let number = call.number(idx)?;
        if better(number, best) {
            best = number;
        }
    }
    Ok(ExprValue::number(best.clone()))
}

fn parse_int(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    /// More digits than any number that is kept has.
    const MAX_DIGITS: usize = 4096;
    let (text, base) = (call.text(0)?, call.int(1)?);
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base))
        .ok_or_else(|| FunctionError::argument(1, "the base must be from 2 to 36"))?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let valid = !digits.is_empty() && digits.len() <= MAX_DIGITS && digits.chars().all(|c| c.is_digit(base));
    valid
        .then(|| BigInt::parse_bytes(text.as_bytes(), base))
        .flatten()
        .map(|int| number(int.into()))
        .ok_or_else(|| FunctionError::argument(0, format!("the text is no whole number in base {base}")))
}

fn power(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let (base, exponent) = (call.number(0)?, call.number(1)?);
    let out_of_range = || FunctionError::failed("number out of range");
    let Some(int) = exponent.as_i64().and_then(|int| u32::try_from(int).ok()) else {
        if base.to_decimal().is_zero() && *exponent < Number::from(0_i64) {
            return Err(FunctionError::failed("division by zero"));
        }
        let float = Number::from_f64(base.to_f64().powf(exponent.to_f64()));
        return float.map(ExprValue::number).ok_or_else(out_of_range);
    };
    // Square and multiply; the bound on digits also bounds the work.
    let mut result = BigDecimal::from(1);
    let mut square = base.to_decimal().normalized();
    let mut left = int;
    while left > 0 {
        if left & 1 == 1 {
            result = bounded(result * &square).ok_or_else(out_of_range)?.to_decimal();
        }
        left >>= 1;
        if left > 0 {
            square = bounded(&square * &square).ok_or_else(out_of_range)?.to_decimal();
        }
    }
    Ok(number(result))
}
