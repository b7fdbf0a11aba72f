//! The format language of `format` and `formatlist`.

use engine_core::value::Number;

use super::FunctionError;
use super::encodings::json;
use crate::convert::convert;
use crate::expr_value::{ExprValue, Kind};
use crate::types::Type;

/// The widest field and the highest precision that a verb may ask for.
const MAX_WIDTH: usize = 1024;

/// One `%…` of a format.
#[derive(Default)]
struct Verb {
    plus: bool,
    space: bool,
    left: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    position: Option<usize>,
    letter: char,
}

/// Returns the format with its verbs replaced by the values. All values must be used.
///
/// # Source
/// Documentation of `OpenTofu`, "format Function".
pub(super) fn format(format: &str, values: &[&ExprValue]) -> Result<String, FunctionError> {
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    let mut next = 0;
    let mut used = 0;
    while let Some(char) = rest.next() {
        if char != '%' {
            text.push(char);
            continue;
        }
        let verb = Verb::read(&mut rest)?;
        if verb.letter == '%' {
            text.push('%');
            continue;
        }
        let idx = verb.position.unwrap_or(next);
        let value = values.get(idx).ok_or_else(|| {
            let message = format!("the format asks for value {}, there are {}", idx + 1, values.len());
            FunctionError::argument(0, message)
        })?;
        next = idx + 1;
        used = used.max(next);
        text.push_str(&verb.apply(value, idx)?);
    }
    if used < values.len() {
        let message = format!("the format uses {used} of {} values", values.len());
        return Err(FunctionError::argument(used + 1, message));
    }
    Ok(text)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

impl Verb {
    fn read(rest: &mut Chars<'_>) -> Result<Self, FunctionError> {
        let mut verb = Self::default();
        while let Some(flag) = rest.next_if(|c| "+ -0#".contains(*c)) {
            match flag {
                '+' => verb.plus = true,
                ' ' => verb.space = true,
                '-' => verb.left = true,
                '0' => verb.zero = true,
                _ => verb.sharp = true,
            }
        }
        verb.width = number(rest)?.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            verb.precision = Some(number(rest)?.unwrap_or(0));
        }
        if rest.next_if_eq(&'[').is_some() {
            let position = number(rest)?.and_then(|position| position.checked_sub(1));
            verb.position = Some(position.ok_or_else(|| invalid("a position in brackets starts at 1"))?);
            rest.next_if_eq(&']').ok_or_else(|| invalid("a position lacks its closing bracket"))?;
        }
        verb.letter = rest.next().ok_or_else(|| invalid("it ends within a verb"))?;
        Ok(verb)
    }

    fn apply(&self, value: &ExprValue, idx: usize) -> Result<String, FunctionError> {
        let wrong = |error: crate::convert::ConvertError| {
            FunctionError::argument(idx + 1, format!("%{}: {error}", self.letter))
        };
        let numeric = |value: &ExprValue| {
            let value = convert(value, &Type::Number).map_err(wrong)?;
            value.as_number().cloned().ok_or_else(|| {
                FunctionError::argument(idx + 1, format!("%{}: a number is required", self.letter))
            })
        };
        let text = match self.letter {
            'v' => shown(value, self.sharp),
            's' | 'q' => {
                let text = convert(value, &Type::String).map_err(wrong)?;
                let text = text.as_str().unwrap_or("null").to_owned();
                let text = match self.precision {
                    Some(most) => text.chars().take(most).collect(),
                    None => text,
                };
                if self.letter == 'q' { json(&ExprValue::text(text.into())) } else { text }
            }
            't' => {
                let bool = convert(value, &Type::Bool).map_err(wrong)?;
                bool.as_bool().map_or_else(|| "null".to_owned(), |bool| bool.to_string())
            }
            'd' | 'b' | 'o' | 'x' | 'X' => self.signed(self.integer(&numeric(value)?, idx)?),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => self.signed(self.decimal(&numeric(value)?)),
            letter => return Err(invalid(&format!("there is no verb %{letter}"))),
        };
        Ok(self.padded(text))
    }

    fn integer(&self, number: &Number, idx: usize) -> Result<String, FunctionError> {
        if self.letter == 'd' {
            // Truncated, as a number that is not whole has no other decimal form without a point.
            return Ok(number.to_decimal().with_scale(0).to_plain_string());
        }
        let int = number.as_i64().ok_or_else(|| {
            FunctionError::argument(idx + 1, format!("%{}: a whole number is required", self.letter))
        })?;
        let (sign, size) = (if int < 0 { "-" } else { "" }, int.unsigned_abs());
        Ok(match self.letter {
            'b' => format!("{sign}{size:b}"),
            'o' => format!("{sign}{size:o}"),
            'x' => format!("{sign}{size:x}"),
            _ => format!("{sign}{size:X}"),
        })
    }

    fn decimal(&self, number: &Number) -> String {
        let precision = self.precision.unwrap_or(6);
        match self.letter {
            'f' | 'F' => {
                let scale = i64::try_from(precision).unwrap_or(0);
                let mode = bigdecimal::RoundingMode::HalfEven;
                number.to_decimal().with_scale_round(scale, mode).to_plain_string()
            }
            'e' | 'E' => {
                let text = format!("{:.precision$e}", number.to_f64());
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let exponent: i32 = exponent.parse().unwrap_or(0);
                let sign = if exponent < 0 { '-' } else { '+' };
                let letter = self.letter;
                format!("{mantissa}{letter}{sign}{:02}", exponent.abs())
            }
            _ => number.to_string(),
        }
    }

    fn signed(&self, text: String) -> String {
        match (text.starts_with('-'), self.plus, self.space) {
            (false, true, _) => format!("+{text}"),
            (false, false, true) => format!(" {text}"),
            _ => text,
        }
    }

    fn padded(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            return text + &" ".repeat(missing);
        }
        if !self.zero {
            return " ".repeat(missing) + &text;
        }
        let signed = text.starts_with(['-', '+', ' ']);
        let (sign, digits) = text.split_at(usize::from(signed));
        format!("{sign}{}{digits}", "0".repeat(missing))
    }
}

/// Returns what `%v` shows: text as it is, anything else as JSON.
fn shown(value: &ExprValue, quoted: bool) -> String {
    match value.kind() {
        Kind::String(text) if !quoted => text.to_string(),
        _ => json(value),
    }
}

fn number(rest: &mut Chars<'_>) -> Result<Option<usize>, FunctionError> {
    let mut found = None;
    while let Some(digit) = rest.peek().and_then(|char| char.to_digit(10)) {
        rest.next();
        let size = found.unwrap_or(0) * 10 + digit as usize;
        if size > MAX_WIDTH {
            return Err(invalid("a width, precision or position is larger than 1024"));
        }
        found = Some(size);
    }
    Ok(found)
}

fn invalid(why: &str) -> FunctionError {
    FunctionError::argument(0, format!("invalid format: {why}"))
}
