//! Values that are made at apply: passwords of a `secret` block.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use engine_core::address::Address;
use engine_core::value::{Number, Text};

use crate::convert::convert;
use crate::eval::did_you_mean;
use crate::expr_value::{Entries, ExprValue};
use crate::types::Type;

/// The longest value that is generated, in characters.
const MAX_LENGTH: usize = 4096;

/// The sorts of characters: the argument that allows one, the argument that asks for some of it, and which they are.
///
/// # Source
/// Documentation of the provider `hashicorp/random`, `random_password`: the same arguments mean the same.
const SORTS: [(&str, &str, &str); 4] = [
    ("lower", "min_lower", "abcdefghijklmnopqrstuvwxyz"),
    ("upper", "min_upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("numeric", "min_numeric", "0123456789"),
    (SPECIAL, "min_special", "!@#$%&*()-_=+[]{}<>:?"),
];
const SPECIAL: &str = "special";
const OVERRIDE: &str = "override_special";
const LENGTH: &str = "length";

/// What a generated value looks like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    length: usize,
    /// Characters, and how many of them there must be at least.
    sorts: Vec<(Vec<char>, usize)>,
}

impl Shape {
    /// Reads the arguments of one generated value.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub(crate) fn new(value: &ExprValue) -> Result<Self, String> {
        let entries = value.as_entries().ok_or("it must be an object, such as { length = 32 }")?;
        check_names(entries)?;
        let length = count(entries, LENGTH)?.unwrap_or(32);
        if !(1..=MAX_LENGTH).contains(&length) {
            return Err(format!("length must be from 1 to {MAX_LENGTH}"));
        }
        let instead = argument(entries, OVERRIDE, &Type::String)?;
        let mut sorts = Vec::new();
        for (allowed, least, characters) in SORTS {
            let is_allowed =
                argument(entries, allowed, &Type::Bool)?.and_then(|it| it.as_bool()).unwrap_or(true);
            let least_count = count(entries, least)?.unwrap_or(0);
            let characters = match &instead {
                Some(instead) if allowed == SPECIAL => instead.as_str().unwrap_or_default(),
                _ => characters,
            };
            if is_allowed && !characters.is_empty() {
                sorts.push((characters.chars().collect(), least_count));
            } else if least_count > 0 {
                return Err(format!("{least} asks for characters that are not allowed"));
            }
        }
        if sorts.is_empty() {
            return Err("no characters are allowed".to_owned());
        }
        if sorts.iter().map(|(_, least)| least).sum::<usize>() > length {
            return Err("it asks for more characters than its length".to_owned());
        }
        Ok(Self { length, sorts })
    }

    /// Draws a value from the randomness of the operating system.
    fn draw(&self) -> Result<Text, getrandom::Error> {
        let all: Vec<char> = self.sorts.iter().flat_map(|(characters, _)| characters).copied().collect();
        let mut drawn = Vec::with_capacity(self.length);
        for (characters, least) in &self.sorts {
            for _ in 0..*least {
                drawn.push(characters[below(characters.len())?]);
            }
        }
        while drawn.len() < self.length {
            drawn.push(all[below(all.len())?]);
        }
        for last in (1..drawn.len()).rev() {
            drawn.swap(last, below(last + 1)?);
        }
        Ok(drawn.into_iter().collect::<String>().into())
    }
}

fn check_names(entries: &Entries) -> Result<(), String> {
    let known: Vec<&str> =
        SORTS.iter().flat_map(|(allowed, least, _)| [*allowed, *least]).chain([LENGTH, OVERRIDE]).collect();
    match entries.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let hint = did_you_mean(name, known.iter().copied());
            let hint = hint.unwrap_or_else(|| format!("it takes {}", known.join(", ")));
            Err(format!("it has no argument {name}: {hint}"))
        }
    }
}

fn argument(entries: &Entries, name: &str, ty: &Type) -> Result<Option<ExprValue>, String> {
    let given = entries.get(name).filter(|value| !value.is_null());
    given.map(|value| convert(value, ty).map_err(|error| format!("{name}: {error}"))).transpose()
}

fn count(entries: &Entries, name: &str) -> Result<Option<usize>, String> {
    let number = argument(entries, name, &Type::Number)?;
    let whole = |number: &ExprValue| usize::try_from(number.as_number().and_then(Number::as_i64)?).ok();
    number.map(|number| whole(&number).ok_or_else(|| format!("{name} must be a whole number"))).transpose()
}

/// Draws a number below `limit`, each as likely as the others.
fn below(limit: usize) -> Result<usize, getrandom::Error> {
    let limit = u32::try_from(limit).unwrap_or(u32::MAX).max(1);
    let even = u32::MAX - u32::MAX % limit;
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes)?;
        let drawn = u32::from_le_bytes(bytes);
        if drawn < even {
            return Ok((drawn % limit) as usize);
        }
    }
}

/// The values that an apply has generated so far: however often it evaluates, each is drawn once. No `Debug`: they
/// are secrets.
#[derive(Default)]
pub(crate) struct Generated(Mutex<BTreeMap<(Address, Text), Text>>);

impl Generated {
    /// Returns the value of a key of a Secret.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub(crate) fn value(
        &self,
        address: &Address,
        key: &Text,
        shape: &Shape,
    ) -> Result<Text, getrandom::Error> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (address.clone(), key.clone());
        if let Some(value) = values.get(&place) {
            return Ok(value.clone());
        }
        let value = shape.draw()?;
        values.insert(place, value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
