//! Attributes of objects, items of lists, values of keys.

use engine_core::diagnostic::{Code, Diagnostic};
use engine_core::value::{Number, Text};

use super::codes::{ATTRIBUTE, INDEX, NULL_VALUE};
use super::{did_you_mean, given};
use crate::convert::convert;
use crate::expr_value::{Entries, ExprValue, Items, Kind};
use crate::types::Type;

/// What is found, or a diagnostic that has no span yet.
type Lookup<T = ExprValue> = Result<T, Box<Diagnostic>>;

/// What to look for, and whether it may be shown.
#[derive(Clone, Copy)]
struct Name<'a> {
    text: &'a str,
    code: Code,
    /// Whether the name, or the names that there are, are a secret.
    sensitive: bool,
}

/// Returns the attribute of an object, or the value of a map's key. The diagnostic has no span yet.
///
/// # Errors
/// A [`Diagnostic`] when there is no such attribute, or the value has none at all.
pub fn attribute(value: &ExprValue, name: &str) -> Lookup {
    let name = Name { text: name, code: ATTRIBUTE, sensitive: value.is_sensitive() };
    let found = match value.kind() {
        Kind::Null => {
            let summary = format!("attribute {:?} of a null value", name.text);
            return Err(Diagnostic::error(NULL_VALUE, summary).into());
        }
        Kind::Unknown(unknown) => ExprValue::unknown(attribute_type(&unknown.ty, name)?),
        Kind::Object(entries) => entry(entries, name)?,
        Kind::Map(entries) => entry(entries, Name { code: INDEX, ..name })?,
        _ => return Err(no_attributes(&value.ty(), name)),
    };
    Ok(found.with_sensitivity_of(value.is_sensitive()).with_ephemerality_of(value.is_ephemeral()))
}

/// Returns the item of a list, or the value of a key. The diagnostic has no span yet.
///
/// # Errors
/// A [`Diagnostic`] when there is no such item or key, or the value cannot be indexed.
pub fn index(value: &ExprValue, key: &ExprValue) -> Lookup {
    let sensitive = value.is_sensitive() || key.is_sensitive();
    if value.is_null() || key.is_null() {
        let what = if value.is_null() { "the value" } else { "the key" };
        return Err(Diagnostic::error(NULL_VALUE, format!("invalid index: {what} is null")).into());
    }
    let found = match value.kind() {
        _ if key.is_unknown() && key.ty() == Type::Any => ExprValue::unknown(Type::Any),
        Kind::List(items) | Kind::Tuple(items) => item(items, key, sensitive)?,
        Kind::Map(entries) => keyed(entries, key, INDEX, sensitive)?,
        Kind::Object(entries) => keyed(entries, key, ATTRIBUTE, sensitive)?,
        Kind::Unknown(unknown) => ExprValue::unknown(item_type(&unknown.ty, key, sensitive)?),
        _ => return Err(no_index(&value.ty())),
    };
    Ok(found.with_sensitivity_of(sensitive).with_ephemerality_of(value.is_ephemeral() || key.is_ephemeral()))
}

fn entry(entries: &Entries, name: Name<'_>) -> Lookup {
    let found = entries.get(name.text).cloned();
    found.ok_or_else(|| no_such(name, entries.keys()))
}

fn keyed(entries: &Entries, key: &ExprValue, code: Code, sensitive: bool) -> Lookup {
    let key = key_of(key, &Type::String)?;
    match key.as_str() {
        Some(text) => entry(entries, Name { text, code, sensitive }),
        None => Ok(ExprValue::unknown(entries.element().clone())),
    }
}

fn item(items: &Items, key: &ExprValue, sensitive: bool) -> Lookup {
    let position = key_of(key, &Type::Number)?;
    let Some(number) = position.as_number() else {
        return Ok(ExprValue::unknown(items.element().clone()));
    };
    let found = place(number).and_then(|idx| items.get(idx)).cloned();
    found.ok_or_else(|| no_item(key, items.len(), sensitive))
}

fn no_item(key: &ExprValue, len: usize, sensitive: bool) -> Box<Diagnostic> {
    let detail = match len {
        _ if sensitive => String::new(),
        0 => "The list is empty.".to_owned(),
        len => format!("The index must be a whole number from 0 to {}.", len - 1),
    };
    Diagnostic::error(INDEX, format!("no item {key}")).detail(detail).into()
}

fn attribute_type(ty: &Type, name: Name<'_>) -> Lookup<Type> {
    match ty {
        Type::Any => Ok(Type::Any),
        Type::Map(element) => Ok(Type::clone(element)),
        Type::Object(object) => match object.get(name.text) {
            Some(attribute) => Ok(attribute.ty.clone()),
            None => Err(no_such(name, object.iter().map(|(name, _)| name))),
        },
        ty => Err(no_attributes(ty, name)),
    }
}

fn item_type(ty: &Type, key: &ExprValue, sensitive: bool) -> Lookup<Type> {
    match ty {
        Type::Any => Ok(Type::Any),
        Type::List(element) => key_of(key, &Type::Number).map(|_| Type::clone(element)),
        Type::Map(element) => key_of(key, &Type::String).map(|_| Type::clone(element)),
        Type::Tuple(elements) => {
            let key = key_of(key, &Type::Number)?;
            let Some(number) = key.as_number() else { return Ok(Type::Any) };
            let element = place(number).and_then(|idx| elements.get(idx)).cloned();
            element.ok_or_else(|| no_item(&key, elements.len(), sensitive))
        }
        Type::Object(_) => match key_of(key, &Type::String)?.as_str() {
            Some(text) => {
                let code = ATTRIBUTE;
                attribute_type(ty, Name { text, code, sensitive })
            }
            None => Ok(Type::Any),
        },
        ty => Err(no_index(ty)),
    }
}

fn place(number: &Number) -> Option<usize> {
    number.as_i64().and_then(|idx| usize::try_from(idx).ok())
}

/// Converts a key to the type that a collection is indexed with.
fn key_of(key: &ExprValue, ty: &Type) -> Lookup {
    convert(key, ty).map_err(|error| {
        Diagnostic::error(INDEX, format!("invalid index: {error}")).detail(given(key)).into()
    })
}

fn no_index(ty: &Type) -> Box<Diagnostic> {
    let detail = format!("The value is {}, which cannot be indexed.", ty.friendly());
    let mut fault = Diagnostic::error(INDEX, "invalid index").detail(detail);
    if let Type::Set(_) = ty {
        fault = fault.hint("a set has no order: use tolist(…) first");
    }
    fault.into()
}

fn no_attributes(ty: &Type, name: Name<'_>) -> Box<Diagnostic> {
    let name = name.text;
    let detail = format!("The value is {}, which has no attributes.", ty.friendly());
    let mut fault = Diagnostic::error(ATTRIBUTE, format!("no attribute {name:?}")).detail(detail);
    if let Type::List(_) | Type::Tuple(_) | Type::Set(_) = ty {
        fault = fault.hint(format!("use [*].{name} for the attribute of every item"));
    }
    fault.into()
}

/// Says which names there are, and which one was probably meant.
fn no_such<'a>(name: Name<'_>, known: impl Iterator<Item = &'a Text>) -> Box<Diagnostic> {
    /// How many names a message lists.
    const LISTED: usize = 10;
    let noun = if name.code == INDEX { "key" } else { "attribute" };
    if name.sensitive {
        return Diagnostic::error(name.code, format!("no such {noun}")).into();
    }
    let known: Vec<_> = known.map(Text::as_str).collect();
    let listed = &known[..known.len().min(LISTED)];
    let more = if known.len() > LISTED { ", …" } else { "" };
    let detail = if listed.is_empty() {
        "The value is empty.".to_owned()
    } else {
        format!("There are: {}{more}.", listed.join(", "))
    };
    let summary = format!("no {noun} {:?}", name.text);
    let mut fault = Diagnostic::error(name.code, summary).detail(detail);
    fault.hint = did_you_mean(name.text, known.iter().copied());
    fault.into()
}
