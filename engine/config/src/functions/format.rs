//! The format language of `format` and `formatlist`.

mod number;

use engine_core::value::Number;

use super::FunctionError;
use super::encodings::json;
use super::strings::characters;
use crate::convert::{ConvertError, convert};
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
        if rest.next_if_eq(&'%').is_some() {
            text.push('%');
            continue;
        }
        let verb = Verb::read(&mut rest)?;
        let idx = verb.position.unwrap_or(next);
        let value = values.get(idx).ok_or_else(|| {
            let message = format!("the format asks for value {}, there are {}", idx + 1, values.len());
            FunctionError::argument(0, message)
        })?;
        next = idx + 1;
        used = used.max(next);
        text.push_str(&verb.apply(value, idx + 1)?);
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
        verb.width = digits(rest)?.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(rest)?.unwrap_or(0));
        }
        if rest.next_if_eq(&'[').is_some() {
            let position = digits(rest)?.and_then(|position| position.checked_sub(1));
            verb.position = Some(position.ok_or_else(|| invalid("a position in brackets starts at 1"))?);
            rest.next_if_eq(&']').ok_or_else(|| invalid("a position lacks its closing bracket"))?;
        }
        verb.letter = rest.next().ok_or_else(|| invalid("it ends within a verb"))?;
        Ok(verb)
    }

    /// Returns the text for the value of argument `idx`.
    fn apply(&self, value: &ExprValue, idx: usize) -> Result<String, FunctionError> {
        if !"vtbdoxXeEfFgGsq".contains(self.letter) {
            return Err(invalid(&format!("there is no verb %{}", self.letter)));
        }
        if value.is_null() && self.letter != 'v' {
            return Err(self.wrong(idx, "the value is null; only %v writes null"));
        }
        Ok(match self.letter {
            'v' => self.padded(shown(value, self)),
            't' => self.converted(value, &Type::Bool, idx)?.to_string(),
            's' | 'q' => {
                let text = self.converted(value, &Type::String, idx)?;
                let text = text.as_str().unwrap_or_default();
                // A precision of 0 cuts nothing.
                let most = self.precision.filter(|most| *most > 0).unwrap_or(usize::MAX);
                let text: String = characters(text).take(most).collect();
                self.padded(if self.letter == 'q' { json(&ExprValue::text(text.into())) } else { text })
            }
            letter => {
                let value = self.converted(value, &Type::Number, idx)?;
                let zero = Number::from(0_i64);
                let number = value.as_number().unwrap_or(&zero);
                let digits = if "bdoxX".contains(letter) {
                    number::integer(number, letter, self.sharp)
                        .ok_or_else(|| self.wrong(idx, "a whole number is required"))?
                } else {
                    number::decimal(number, letter, self.precision)
                };
                self.signed(&digits)
            }
        })
    }

    fn converted(&self, value: &ExprValue, ty: &Type, idx: usize) -> Result<ExprValue, FunctionError> {
        convert(value, ty).map_err(|error: ConvertError| self.wrong(idx, &error.to_string()))
    }

    fn wrong(&self, idx: usize, why: &str) -> FunctionError {
        FunctionError::argument(idx, format!("%{}: {why}", self.letter))
    }

    /// Puts the sign before a number and fills it up to the width: zeros go between the sign and the digits.
    fn signed(&self, text: &str) -> String {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if self.plus => ("+", text),
            None if self.space => (" ", text),
            None => ("", text),
        };
        if self.zero && !self.left {
            let missing = self.width.saturating_sub(sign.len() + digits.len());
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        Self { zero: false, ..*self }.padded(format!("{sign}{digits}"))
    }

    /// Fills text up to the width, with zeros when asked to.
    fn padded(&self, text: String) -> String {
        let missing = self.width.saturating_sub(characters(&text).count());
        let fill = if self.zero { "0" } else { " " }.repeat(missing);
        if self.left { text + &fill } else { fill + &text }
    }
}

/// Returns what `%v` shows: text as it is, numbers as `%g` does, anything else as JSON.
fn shown(value: &ExprValue, verb: &Verb) -> String {
    match value.kind() {
        Kind::String(text) if !verb.sharp => text.to_string(),
        Kind::Number(number) if !verb.sharp => number::decimal(number, 'g', None),
        _ => json(value),
    }
}

fn digits(rest: &mut Chars<'_>) -> Result<Option<usize>, FunctionError> {
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
