//! Finds the fields that a transformation changes.
//!
//! A path names map fields; lists on the way are walked through, element by element.

use engine_core::value::{Map, Text, Value};

/// A field has a shape that the transformation cannot handle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` must be {wanted}")]
pub(crate) struct ShapeError {
    pub field: String,
    pub wanted: &'static str,
}

/// What to do where a field is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Leave it so.
    Skip,
    /// Make an empty text, and the maps that lead to it.
    MakeScalar,
    /// Make an empty map, and the maps that lead to it.
    MakeMap,
}

/// What is done with each field that a path leads to.
pub(crate) type Visitor<'a> = dyn FnMut(&mut Value) -> Result<(), ShapeError> + 'a;

/// Visits every field at `path`. A segment `name[]` names a list and makes nothing.
///
/// # Errors
/// A scalar stands where the path goes on, or the visitor fails.
pub(crate) fn visit(
    map: &mut Map,
    path: &[&str],
    missing: Missing,
    visitor: &mut Visitor<'_>,
) -> Result<(), ShapeError> {
    let Some((segment, rest)) = path.split_first() else {
        return Ok(());
    };
    let (name, is_list) = match segment.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (*segment, false),
    };
    let made = match missing {
        Missing::Skip => None,
        _ if is_list => None,
        Missing::MakeScalar if rest.is_empty() => Some(Value::string("")),
        _ => Some(Value::Map(Map::default())),
    };
    if let Some(made) = made
        && matches!(map.get(name), None | Some(Value::Null))
    {
        map.insert(Text::from(name), made);
    }
    let Some(value) = map.get_mut(name) else { return Ok(()) };
    if is_list && *value == Value::Null {
        *value = Value::list([]);
    }
    visit_value(value, name, rest, missing, visitor)
}

fn visit_value(
    value: &mut Value,
    name: &str,
    rest: &[&str],
    missing: Missing,
    visitor: &mut Visitor<'_>,
) -> Result<(), ShapeError> {
    if rest.is_empty() {
        return visitor(value);
    }
    match value {
        Value::Null => Ok(()),
        Value::Map(map) => visit(map, rest, missing, visitor),
        Value::List(items) => std::sync::Arc::make_mut(items)
            .iter_mut()
            .try_for_each(|item| visit_value(item, name, rest, missing, visitor)),
        _ => Err(ShapeError { field: name.to_owned(), wanted: "a map or a list" }),
    }
}

/// Replaces a scalar.
///
/// # Errors
/// The field is a map or a list.
pub(crate) fn set_scalar(value: &mut Value, to: Value, field: &str) -> Result<(), ShapeError> {
    if matches!(value, Value::Map(_) | Value::List(_)) {
        return Err(ShapeError { field: field.to_owned(), wanted: "a scalar" });
    }
    *value = to;
    Ok(())
}

#[cfg(test)]
mod tests;
