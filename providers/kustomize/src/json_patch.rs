//! JSON patches as Kustomize applies them.
//!
//! RFC 6902 with the ways of the Go library behind Kustomize: negative indexes count from the end, `replace` of a
//! missing map entry adds it, `copy` of one copies null.
//!
//! # Source
//! <https://www.rfc-editor.org/rfc/rfc6902>, <https://www.rfc-editor.org/rfc/rfc6901>

use std::sync::Arc;

use engine_core::value::{Map, Text, Value};

use crate::yaml::MAX_DEPTH;

/// An operation that does not apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonPatchError {
    #[error("`{0}` is not an operation of a JSON patch")]
    Operation(Text),
    #[error("the operation has no `{0}`")]
    Field(&'static str),
    #[error("{operation} `{path}`: there is nothing at that path")]
    Missing { operation: Text, path: Text },
    #[error("test `{0}`: the value differs")]
    Differs(Text),
    #[error("the patch leaves no object")]
    NoObject,
    #[error("the patch makes values that are nested too deep, or copies too much")]
    TooLarge,
}

/// How many nodes the copies of one patch may add.
const MAX_COPIED_NODES: usize = 100_000;

/// Applies operations in order.
///
/// # Errors
/// The first operation that does not apply.
pub(crate) fn apply(object: Map, operations: &[Value]) -> Result<Map, JsonPatchError> {
    let mut document = Value::Map(object);
    let mut room = MAX_COPIED_NODES;
    for operation in operations {
        apply_one(&mut document, operation, &mut room)?;
    }
    match document {
        Value::Map(object) => Ok(object),
        _ => Err(JsonPatchError::NoObject),
    }
}

fn apply_one(document: &mut Value, operation: &Value, room: &mut usize) -> Result<(), JsonPatchError> {
    let name = text(operation, "op")?;
    let path = text(operation, "path")?;
    let check = |value: &Value, room: &mut usize| match depth(value, room) {
        Some(depth) if depth + path.matches('/').count() <= MAX_DEPTH => Ok(()),
        _ => Err(JsonPatchError::TooLarge),
    };
    let missing = |path: &Text| JsonPatchError::Missing { operation: name.clone(), path: path.clone() };
    let value = operation.get("value").cloned().unwrap_or_default();
    // What the patch itself says is bounded by its text.
    check(&value, &mut { usize::MAX })?;
    let done = match name.as_str() {
        "add" => add(document, &path, value),
        "remove" => remove(document, &path),
        "replace" if path.is_empty() => {
            *document = value;
            Some(())
        }
        "replace" => replace(document, &path, value),
        "move" | "copy" => {
            let from = text(operation, "from")?;
            let value = get(document, &from).ok_or_else(|| missing(&from))?;
            if name == "move" {
                remove(document, &from).ok_or_else(|| missing(&from))?;
            }
            check(&value, room)?;
            add(document, &path, value)
        }
        "test" => {
            let found = if path.is_empty() { Some(document.clone()) } else { get(document, &path) };
            return match found {
                None => Err(missing(&path)),
                Some(found) if found == value => Ok(()),
                Some(_) => Err(JsonPatchError::Differs(path)),
            };
        }
        _ => return Err(JsonPatchError::Operation(name)),
    };
    done.ok_or_else(|| missing(&path))
}

fn text(operation: &Value, field: &'static str) -> Result<Text, JsonPatchError> {
    match operation.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(JsonPatchError::Field(field)),
    }
}

/// Finds the map or list that holds a path's last segment.
fn holder<'v>(document: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    // What stands before the first slash is passed over, as the Go library does.
    let (_, path) = path.split_once('/')?;
    let mut segments: Vec<String> = path.split('/').map(unescape).collect();
    let last = segments.pop()?;
    let mut holder = document;
    for segment in &segments {
        holder = match holder {
            Value::Map(map) => map.get_mut(segment)?,
            Value::List(items) => {
                let idx = index(segment, items.len())?;
                Arc::make_mut(items).get_mut(idx)?
            }
            _ => return None,
        };
    }
    matches!(holder, Value::Map(_) | Value::List(_)).then_some((holder, last))
}

fn unescape(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(at) = rest.find('~') {
        text.push_str(&rest[..at]);
        let (char, length) = match rest.as_bytes().get(at + 1) {
            Some(b'0') => ('~', 2),
            Some(b'1') => ('/', 2),
            _ => ('~', 1),
        };
        text.push(char);
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    text
}

/// Reads an index; negative ones count from the end of `length`.
fn index(segment: &str, length: usize) -> Option<usize> {
    let idx: i64 = segment.parse().ok()?;
    if idx < 0 {
        return length.checked_sub(usize::try_from(idx.unsigned_abs()).ok()?);
    }
    usize::try_from(idx).ok()
}

fn get(document: &mut Value, path: &str) -> Option<Value> {
    match holder(document, path)? {
        (Value::Map(map), key) => Some(map.get(&key).cloned().unwrap_or_default()),
        (Value::List(items), key) => items.get(index(&key, items.len())?).cloned(),
        _ => None,
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    match holder(document, path)? {
        (Value::Map(map), key) => {
            map.insert(key.into(), value);
        }
        (Value::List(items), key) if key == "-" => Arc::make_mut(items).push(value),
        (Value::List(items), key) => {
            let idx = index(&key, items.len() + 1)?;
            if idx > items.len() {
                return None;
            }
            Arc::make_mut(items).insert(idx, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Value, path: &str) -> Option<()> {
    match holder(document, path)? {
        (Value::Map(map), key) => {
            map.remove(&key)?;
        }
        (Value::List(items), key) => {
            let idx = index(&key, items.len())?;
            if idx >= items.len() {
                return None;
            }
            Arc::make_mut(items).remove(idx);
        }
        _ => return None,
    }
    Some(())
}

fn replace(document: &mut Value, path: &str, value: Value) -> Option<()> {
    match holder(document, path)? {
        (Value::Map(map), key) => {
            map.insert(key.into(), value);
        }
        (Value::List(items), key) => {
            let idx = index(&key, items.len())?;
            *Arc::make_mut(items).get_mut(idx)? = value;
        }
        _ => return None,
    }
    Some(())
}

/// Returns how deep a value nests, `None` when it holds more nodes than there is room for.
///
/// Copies share memory, so a few of them can stand for more nodes than any walk would finish.
fn depth(value: &Value, room: &mut usize) -> Option<usize> {
    *room = room.checked_sub(1)?;
    let mut deepest = 0;
    match value {
        Value::List(items) => {
            for item in items.iter() {
                deepest = deepest.max(depth(item, room)?);
            }
        }
        Value::Map(map) => {
            for (_, value) in map {
                deepest = deepest.max(depth(value, room)?);
            }
        }
        _ => return Some(0),
    }
    Some(deepest + 1)
}

#[cfg(test)]
mod tests;
