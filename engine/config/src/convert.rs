//! Conversion between types, as assignments, arguments and `to…` functions do it.

use std::sync::Arc;

use engine_core::field_path::{FieldPath, PathElement};
use engine_core::value::{Number, Text};

use crate::expr_value::{Entries, ExprValue, Items, Kind};
use crate::types::{ObjectType, Presence, Type, unify};

/// The value cannot become of the type. The message holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", Place(.path))]
pub struct ConvertError {
    /// Where in the value.
    pub path: FieldPath,
    /// What is required there.
    pub message: String,
}

struct Place<'a>(&'a FieldPath);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.elements().is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

/// Converts a value. Marks stay where they are; unknown values become unknown values of the type.
///
/// Strings, numbers and booleans convert where nothing is lost; lists, sets and tuples, and maps and objects,
/// convert item by item. Missing optional attributes take their defaults, attributes that the type does not
/// name are dropped.
///
/// # Source
/// Documentation of `OpenTofu`, "Types and Values", "Type Conversion", and "Type Constraints", "Conversion of
/// Complex Types".
///
/// # Errors
/// [`ConvertError`] when the value has no counterpart of the type.
pub fn convert(value: &ExprValue, ty: &Type) -> Result<ExprValue, ConvertError> {
    converted(value, ty).map_err(|fault| ConvertError {
        path: fault.steps.into_iter().rev().collect(),
        message: fault.message,
    })
}

/// A fault on its way up: the steps to it, innermost first.
struct Fault {
    steps: Vec<PathElement>,
    message: String,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { steps: Vec::new(), message: message.into() }
    }

    fn required(ty: &Type) -> Self {
        Self::new(format!("{} is required", ty.friendly()))
    }

    fn inside(mut self, step: PathElement) -> Self {
        self.steps.push(step);
        self
    }
}

fn converted(value: &ExprValue, ty: &Type) -> Result<ExprValue, Fault> {
    let result = match (value.kind(), ty) {
        (_, Type::Any)
        | (Kind::Null, _)
        | (Kind::Bool(_), Type::Bool)
        | (Kind::Number(_), Type::Number)
        | (Kind::String(_), Type::String) => return Ok(value.clone()),
        (Kind::Unknown(unknown), _) if possible(&unknown.ty, ty) => {
            ExprValue::unknown(specific(&unknown.ty, ty))
        }
        (Kind::Number(number), Type::String) => ExprValue::string(number.to_string()),
        (Kind::Bool(bool), Type::String) => ExprValue::string(bool.to_string()),
        (Kind::String(text), Type::Number) => number(text)?,
        (Kind::String(text), Type::Bool) => boolean(text)?,
        (Kind::List(items) | Kind::Set(items) | Kind::Tuple(items), Type::List(element)) => {
            let (element, items) = elements(items, element)?;
            ExprValue::list(element, items)
        }
        (Kind::List(items) | Kind::Set(items) | Kind::Tuple(items), Type::Set(element)) => {
            let (element, items) = elements(items, element)?;
            ExprValue::set(element, items)
        }
        (Kind::List(items) | Kind::Tuple(items), Type::Tuple(types)) => tuple(items, types)?,
        (Kind::Map(entries) | Kind::Object(entries), Type::Map(element)) => map(entries, element)?,
        (Kind::Map(entries) | Kind::Object(entries), Type::Object(object)) => attributes(entries, object)?,
        _ => return Err(Fault::required(ty)),
    };
    Ok(result.with_sensitivity_of(value.is_sensitive()).with_ephemerality_of(value.is_ephemeral()))
}

fn number(text: &str) -> Result<ExprValue, Fault> {
    text.parse::<Number>().map(ExprValue::number).map_err(|_| Fault::required(&Type::Number))
}

fn boolean(text: &str) -> Result<ExprValue, Fault> {
    match text {
        "true" | "1" => Ok(ExprValue::bool(true)),
        "false" | "0" => Ok(ExprValue::bool(false)),
        _ if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => {
            let lower = text.to_ascii_lowercase();
            Err(Fault::new(format!("a bool is required; to convert from string, use lower case \"{lower}\"")))
        }
        _ => Err(Fault::required(&Type::Bool)),
    }
}

fn elements(items: &Items, element: &Type) -> Result<(Type, Vec<ExprValue>), Fault> {
    let steps = || (0..).map(PathElement::Index);
    same_type(items.iter().zip(steps()), element)
}

fn map(entries: &Entries, element: &Type) -> Result<ExprValue, Fault> {
    let steps = entries.keys().cloned().map(PathElement::Field);
    let (element, values) = same_type(entries.values().zip(steps), element)?;
    Ok(ExprValue::map(element, entries.keys().cloned().zip(values)))
}

/// Converts values to one type; what `element` leaves open is what they have in common.
fn same_type<'a>(
    values: impl Iterator<Item = (&'a ExprValue, PathElement)>,
    element: &Type,
) -> Result<(Type, Vec<ExprValue>), Fault> {
    let values: Vec<_> = values
        .map(|(value, step)| converted(value, element).map_err(|fault| fault.inside(step)))
        .collect::<Result<_, _>>()?;
    if !element.has_any() {
        return Ok((element.clone(), values));
    }
    let types: Vec<_> = values.iter().map(ExprValue::ty).collect();
    let common = unify(&types).ok_or_else(|| Fault::new("all elements must have the same type"))?;
    if types.iter().all(|ty| *ty == common) {
        return Ok((common, values));
    }
    let values = values.iter().map(|value| converted(value, &common)).collect::<Result<_, _>>()?;
    Ok((common, values))
}

fn tuple(items: &Items, types: &Arc<[Type]>) -> Result<ExprValue, Fault> {
    if items.len() != types.len() {
        let message = format!("{} elements are required, there are {}", types.len(), items.len());
        return Err(Fault::new(message));
    }
    let items: Result<Vec<_>, _> = items
        .iter()
        .zip(types.iter())
        .enumerate()
        .map(|(idx, (item, ty))| converted(item, ty).map_err(|fault| fault.inside(PathElement::Index(idx))))
        .collect();
    items.map(ExprValue::tuple)
}

fn attributes(entries: &Entries, object: &ObjectType) -> Result<ExprValue, Fault> {
    let mut found = Vec::new();
    for (name, attribute) in object.iter() {
        let value = match (entries.get(name), &attribute.presence) {
            (None, Presence::Required) => return Err(missing(name, entries, object)),
            (None, Presence::Optional) => ExprValue::NULL,
            (None, Presence::Default(default)) => default.clone(),
            (Some(value), Presence::Default(default)) if value.is_null() => {
                default.clone().with_sensitivity_of(value.is_sensitive())
            }
            (Some(value), _) => converted(value, &attribute.ty)
                .map_err(|fault| fault.inside(PathElement::Field(name.clone())))?,
        };
        found.push((name.clone(), value));
    }
    Ok(ExprValue::object(found))
}

/// Says which attribute is missing, and which of those that the type does not name was probably meant.
fn missing(name: &Text, entries: &Entries, object: &ObjectType) -> Fault {
    let strangers = entries.keys().filter(|key| object.get(key).is_none());
    let meant = strangers
        .map(|key| (strsim::damerau_levenshtein(key, name), key))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let meant = meant
        .map_or_else(String::new, |(_, key)| format!(" (there is {key:?}, which the type does not name)"));
    Fault::new(format!("attribute {name:?} is required{meant}"))
}

/// Returns the type with what it leaves open filled in from the type of the value.
fn specific(from: &Type, to: &Type) -> Type {
    match (from, to) {
        (from, Type::Any) => from.clone(),
        (Type::List(from) | Type::Set(from), Type::List(to)) => Type::list(specific(from, to)),
        (Type::List(from) | Type::Set(from), Type::Set(to)) => Type::set(specific(from, to)),
        (Type::Map(from), Type::Map(to)) => Type::map(specific(from, to)),
        (_, to) => to.clone(),
    }
}

/// Tells whether some value of type `from` converts to type `to`.
fn possible(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Bool, Type::Number) | (Type::Number, Type::Bool) => false,
        (Type::Any, _)
        | (_, Type::Any)
        | (Type::Bool | Type::Number | Type::String, Type::Bool | Type::Number | Type::String) => true,
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to))
        | (Type::Map(from), Type::Map(to)) => possible(from, to),
        (Type::Tuple(from), Type::List(to) | Type::Set(to)) => from.iter().all(|from| possible(from, to)),
        (Type::List(from), Type::Tuple(to)) => to.iter().all(|to| possible(from, to)),
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| possible(from, to))
        }
        (Type::Object(from), Type::Map(to)) => from.iter().all(|(_, attribute)| possible(&attribute.ty, to)),
        (Type::Map(from), Type::Object(to)) => to.iter().all(|(_, attribute)| possible(from, &attribute.ty)),
        (Type::Object(from), Type::Object(to)) => to.iter().all(|(name, attribute)| {
            from.get(name)
                .map_or(attribute.presence != Presence::Required, |from| possible(&from.ty, &attribute.ty))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
