//! Functions on numbers.

use bigdecimal::num_bigint::{BigInt, Sign};
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
    plain("log(number: number, base: number) -> number",
        "Returns the logarithm of a number in a base, exact where it is whole.",
        "log(1000, 10) == 3 && log(50, 10) > 1.69", logarithm),
    plain("max(first: number, rest...: number) -> number", "Returns the greatest of the numbers.",
        "max(3, 12, 9) == 12", |call| extreme(call, |new, best| new > best)),
    plain("min(first: number, rest...: number) -> number", "Returns the smallest of the numbers.",
        "min(3, 12, 9) == 3", |call| extreme(call, |new, best| new < best)),
    plain("parseint(text: string, base: number) -> number", "Returns the whole number that the text is in a base from 2 to 62.",
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
        .filter(|base| (2..=62).contains(base))
        .ok_or_else(|| FunctionError::argument(1, "the base must be from 2 to 62"))?;
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text.as_str()),
    };
    let values: Option<Vec<u8>> = digits.chars().map(|char| digit(char, base)).collect();
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    values
        .filter(|values| !values.is_empty() && values.len() <= MAX_DIGITS)
        .and_then(|values| BigInt::from_radix_be(sign, &values, base))
        .map(|int| number(int.into()))
        .ok_or_else(|| FunctionError::argument(0, format!("the text is no whole number in base {base}")))
}

/// Returns what a digit counts: letters of either case go on after 9, in bases above 36 capital ones after those.
fn digit(char: char, base: u32) -> Option<u8> {
    let value = match char {
        'A'..='Z' if base > 36 => u32::from(char) - u32::from('A') + 36,
        _ => char.to_digit(36)?,
    };
    u8::try_from(value).ok().filter(|_| value < base)
}

fn logarithm(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let (of, base) = (call.number(0)?, call.number(1)?);
    let zero = Number::from(0_i64);
    if *of <= zero || *base <= zero || *base == Number::from(1_i64) {
        return Err(FunctionError::failed("both must be above zero, and the base not 1"));
    }
    let float = of.to_f64().ln() / base.to_f64().ln();
    // Of powers the floating point result may be off by its last digit.
    let whole = float.round();
    let decimal = base.to_decimal();
    if (float - whole).abs() < 1e-9 && whole.abs() * decimal.digits() as f64 <= 8192.0 {
        let power = decimal.powi(whole as i64);
        if Number::from(power.normalized()) == *of {
            return Ok(ExprValue::number(whole as i64));
        }
    }
    let float = Number::from_f64(float);
    float.map(ExprValue::number).ok_or_else(|| FunctionError::failed("number out of range"))
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
