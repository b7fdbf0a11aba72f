//! Conversion between types, as assignments, arguments and `to…` functions do it.

use std::sync::Arc;

use engine_core::field_path::{FieldPath, PathElement};
use engine_core::value::{Number, Text};

use crate::expr_value::{Entries, ExprValue, Items, Kind, Refinement};
use crate::types::{ObjectType, Presence, Type, convertible, unify};

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
        | (Kind::Bool(_), Type::Bool)
        | (Kind::Number(_), Type::Number)
        | (Kind::String(_), Type::String) => return Ok(value.clone()),
        (Kind::Null, _) if convertible(&value.ty(), ty) => ExprValue::null(specific(&value.ty(), ty)),
        (Kind::Unknown(unknown), _) if convertible(&unknown.ty, ty) => {
            let known = carried_over(&unknown.ty, value, ty);
            ExprValue::unknown(specific(&unknown.ty, ty)).refined(known)
        }
        (Kind::Number(number), Type::String) => ExprValue::string(number.to_string()),
        (Kind::Bool(bool), Type::String) => ExprValue::string(bool.to_string()),
        (Kind::String(text), Type::Number) => number(text)?,
        (Kind::String(text), Type::Bool) => boolean(text)?,
        (Kind::List(items) | Kind::Set(items), Type::List(element) | Type::Set(element))
            if !convertible(items.element(), element) =>
        {
            return Err(Fault::required(ty));
        }
        (Kind::List(items) | Kind::Set(items) | Kind::Tuple(items), Type::List(element)) => {
            let (element, items) = elements(value, items, element)?;
            ExprValue::list(element, items)
        }
        (Kind::List(items) | Kind::Set(items) | Kind::Tuple(items), Type::Set(element)) => {
            let (element, items) = elements(value, items, element)?;
            ExprValue::set(element, items)
        }
        (Kind::Tuple(items), Type::Tuple(types)) => tuple(items, types)?,
        (Kind::Map(entries), Type::Map(element)) if !convertible(entries.element(), element) => {
            return Err(Fault::required(ty));
        }
        (Kind::Map(entries) | Kind::Object(entries), Type::Map(element)) => map(value, entries, element)?,
        (Kind::Map(entries) | Kind::Object(entries), Type::Object(object)) => attributes(entries, object)?,
        _ => return Err(Fault::required(ty)),
    };
    let result =
        result.with_sensitivity_of(value.is_sensitive()).with_secret_keys_of(value.has_secret_keys());
    Ok(result.with_ephemerality_of(value.is_ephemeral()))
}

/// Returns what is still known of an unknown value of type `from` when it has been converted.
fn carried_over(from: &Type, value: &ExprValue, to: &Type) -> Refinement {
    let known = value.refinement();
    if from == to {
        return known;
    }
    let carried = Refinement { not_null: known.not_null, ..Refinement::default() };
    match (from, to) {
        (Type::Object(object), Type::Map(_)) => {
            carried.length(object.iter().len(), Some(object.iter().len()))
        }
        (Type::Tuple(types), Type::List(_)) => carried.length(types.len(), Some(types.len())),
        // Equal items become one.
        (Type::Tuple(types), Type::Set(_)) => carried.length(types.len().min(1), Some(types.len())),
        (Type::List(_) | Type::Set(_), Type::Set(_)) => carried.length(known.least.min(1), known.most),
        (Type::List(_) | Type::Set(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) => {
            carried.length(known.least, known.most)
        }
        _ => carried,
    }
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

fn elements(value: &ExprValue, items: &Items, element: &Type) -> Result<(Type, Vec<ExprValue>), Fault> {
    let steps = || (0..).map(PathElement::Index);
    if *element == Type::Any && matches!(value.kind(), Kind::Tuple(_)) {
        // What only some items have a type for is no type of all.
        let types: Vec<_> = items.iter().map(ExprValue::ty).collect();
        if !convertible(&Type::Tuple(types.into()), &Type::list(Type::Any)) {
            return Err(Fault::new("all elements must have the same type"));
        }
    }
    let declared = matches!(value.kind(), Kind::List(_) | Kind::Set(_)).then(|| items.element());
    same_type(items.iter().zip(steps()), declared, element)
}

fn map(value: &ExprValue, entries: &Entries, element: &Type) -> Result<ExprValue, Fault> {
    let steps = entries.keys().cloned().map(PathElement::Field);
    let declared = matches!(value.kind(), Kind::Map(_)).then(|| entries.element());
    let (element, values) = same_type(entries.values().zip(steps), declared, element)?;
    Ok(ExprValue::map(element, entries.keys().cloned().zip(values)))
}

/// Converts values to one type; what `element` leaves open is what they have in common, or are declared to be.
fn same_type<'a>(
    values: impl Iterator<Item = (&'a ExprValue, PathElement)>,
    declared: Option<&Type>,
    element: &Type,
) -> Result<(Type, Vec<ExprValue>), Fault> {
    let open = element.has_any();
    let element_type =
        declared.filter(|_| open).map_or_else(|| element.clone(), |from| specific(from, element));
    // Loops rather than iterators where values nest: each level costs as little of the stack as it can.
    let mut found = Vec::new();
    for (value, step) in values {
        found.push(converted(value, &element_type).map_err(|fault| fault.inside(step))?);
    }
    let values = found;
    if !element_type.has_any() || values.is_empty() {
        return Ok((specific(&Type::Any, &element_type), values));
    }
    let types: Vec<_> = values.iter().map(ExprValue::ty).collect();
    let differ = || Fault::new("all elements must have the same type");
    let common = unify(&types).ok_or_else(differ)?;
    if types.iter().all(|ty| *ty == common) {
        return Ok((common, values));
    }
    if common == Type::Any {
        // Some are of no known type, such as null: the others must agree without them.
        let mut known = types.iter().filter(|ty| **ty != Type::Any);
        let Some(first) = known.next().cloned() else { return Ok((common, values)) };
        return if known.all(|ty| *ty == first) { Ok((first, values)) } else { Err(differ()) };
    }
    let values = values.iter().map(|value| converted(value, &common)).collect::<Result<_, _>>()?;
    Ok((common, values))
}

fn tuple(items: &Items, types: &Arc<[Type]>) -> Result<ExprValue, Fault> {
    if items.len() != types.len() {
        let message = format!("{} elements are required, there are {}", types.len(), items.len());
        return Err(Fault::new(message));
    }
    let mut found = Vec::with_capacity(items.len());
    for (idx, (item, ty)) in items.iter().zip(types.iter()).enumerate() {
        found.push(converted(item, ty).map_err(|fault| fault.inside(PathElement::Index(idx)))?);
    }
    Ok(ExprValue::tuple(found))
}

fn attributes(entries: &Entries, object: &ObjectType) -> Result<ExprValue, Fault> {
    let mut found = Vec::new();
    for (name, attribute) in object.iter() {
        let value = match (entries.get(name), &attribute.presence) {
            (None, Presence::Required) => return Err(missing(name, entries, object)),
            (None, Presence::Optional) => ExprValue::null(specific(&Type::Any, &attribute.ty)),
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

/// Returns the type that values of type `from` have once they are converted: what `to` leaves open is filled in, and
/// attributes that may be left out are there.
pub(crate) fn specific(from: &Type, to: &Type) -> Type {
    let open = &Type::Any;
    match (from, to) {
        (from, Type::Any) => from.clone(),
        (_, Type::Bool | Type::Number | Type::String) => to.clone(),
        (from, Type::List(to)) => Type::list(specific(&element_of(from), to)),
        (from, Type::Set(to)) => Type::set(specific(&element_of(from), to)),
        (from, Type::Map(to)) => Type::map(specific(&element_of(from), to)),
        (from, Type::Tuple(to)) => {
            let mut types = Vec::with_capacity(to.len());
            for (idx, to) in to.iter().enumerate() {
                let from = match from {
                    Type::Tuple(from) => from.get(idx).unwrap_or(open),
                    _ => open,
                };
                types.push(specific(from, to));
            }
            Type::Tuple(types.into())
        }
        (from, Type::Object(to)) => {
            let mut attributes = Vec::new();
            for (name, attribute) in to.iter() {
                let from = match from {
                    Type::Map(element) => element,
                    Type::Object(object) => object.get(name).map_or(open, |attribute| &attribute.ty),
                    _ => open,
                };
                attributes.push((name.clone(), specific(from, &attribute.ty)));
            }
            Type::object(attributes)
        }
    }
}

/// Returns the type of the parts of a container when they have to be of one type.
fn element_of(ty: &Type) -> Type {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Type::clone(element),
        Type::Tuple(elements) => unify(elements.iter()).unwrap_or(Type::Any),
        Type::Object(object) => unify(object.iter().map(|(_, attribute)| &attribute.ty)).unwrap_or(Type::Any),
        _ => Type::Any,
    }
}

#[cfg(test)]
mod tests;
