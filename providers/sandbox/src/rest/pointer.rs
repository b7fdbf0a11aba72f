//! JSON patch, as kube-apiserver's library reads RFC 6902: what names nothing is null, and a negative index counts from
//! the end.
//!
//! # Source
//! RFC 6902 (JSON Patch), RFC 6901 (JSON Pointer), and the module `gopkg.in/evanphx/json-patch.v4`.

use serde_json::Value;

use crate::error::{ApiError, ApiResult};
use crate::json;

/// Kubernetes refuses longer patches.
const OPERATION_LIMIT: usize = 10_000;

/// How much a patch may copy in all, in bytes of JSON, as in kube-apiserver.
const COPY_LIMIT: usize = 3 * 1024 * 1024;

/// How deep a patched object may be nested: as deep as one that is read from a request.
const DEPTH_LIMIT: usize = 127;

/// Applies a JSON patch, all of it or nothing that matters: the caller drops the object on an error.
///
/// # Errors
/// 400 if it is not a JSON patch, 413 if it is too long, 422 if an operation does not fit the object.
pub(super) fn apply(object: &mut Value, patch: &Value) -> ApiResult<()> {
    let operations = operations(patch).map_err(|fault| {
        ApiError::BadRequest(format!("error decoding patch: json: cannot unmarshal {fault}"))
    })?;
    if operations.len() > OPERATION_LIMIT {
        return Err(ApiError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {OPERATION_LIMIT}, got {}",
            operations.len()
        )));
    }
    let mut copied = 0;
    for operation in operations {
        if operation["op"] == "copy" {
            let source = operation["from"].as_str().and_then(|from| object.pointer(from));
            copied += source.map_or(0, |source| source.to_string().len());
        }
        let is_done = copied <= COPY_LIMIT && step(object, operation).is_some();
        is_done.then_some(()).ok_or(ApiError::Unprocessable)?;
    }
    Ok(())
}

fn operations(patch: &Value) -> Result<&[Value], String> {
    let not_list =
        |found: &Value| format!("{} into Go value of type []handlers.jsonPatchOp", json::type_name(found));
    let operations = patch.as_array().ok_or_else(|| not_list(patch))?;
    for operation in operations {
        if !operation.is_object() {
            return Err(format!("{} into Go value of type handlers.jsonPatchOp", json::type_name(operation)));
        }
        for field in ["op", "path", "from"] {
            match &operation[field] {
                Value::String(_) | Value::Null => {}
                other => {
                    let found = json::type_name(other);
                    return Err(format!("{found} into Go struct field jsonPatchOp.{field} of type string"));
                }
            }
        }
    }
    Ok(operations)
}

// Levels of nesting, counted without recursion: the value may be deeper than the stack allows.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, level)) = open.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(map) => open.extend(map.values().map(|item| (item, level + 1))),
            _ => {}
        }
    }
    deepest
}

fn step(object: &mut Value, operation: &Value) -> Option<()> {
    let path = || operation["path"].as_str();
    let from = || operation["from"].as_str();
    let value = operation["value"].clone();
    match operation["op"].as_str()? {
        "add" => add(object, path()?, value),
        "remove" => remove(object, path()?),
        "replace" => replace(object, path()?, value),
        "move" => {
            let moved = get(object, from()?)?;
            remove(object, from()?)?;
            add(object, path()?, moved)
        }
        "copy" => {
            let copied = get(object, from()?)?;
            add(object, path()?, copied)
        }
        "test" if path()?.is_empty() => (*object == value).then_some(()),
        "test" => (get(object, path()?)? == value).then_some(()),
        _ => None,
    }
}

// The value at a path: null if the map there lacks the last name.
fn get(object: &mut Value, path: &str) -> Option<Value> {
    match find(object, path)? {
        (Value::Object(map), key) => Some(map.get(&key).cloned().unwrap_or(Value::Null)),
        (Value::Array(items), key) => items.get(index(&key, items.len())?).cloned(),
        _ => None,
    }
}

fn replace(object: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        let is_document = value.is_object() || value.is_array();
        return is_document.then(|| *object = value);
    }
    check_depth(path, &value)?;
    match find(object, path)? {
        (Value::Object(map), key) => drop(map.insert(key, value)),
        (Value::Array(items), key) => {
            let index = index(&key, items.len())?;
            *items.get_mut(index)? = value;
        }
        _ => return None,
    }
    Some(())
}

fn add(object: &mut Value, path: &str, value: Value) -> Option<()> {
    check_depth(path, &value)?;
    match find(object, path)? {
        (Value::Object(map), key) => drop(map.insert(key, value)),
        (Value::Array(items), key) if key == "-" => items.push(value),
        (Value::Array(items), key) => {
            let index = index(&key, items.len() + 1)?;
            (index <= items.len()).then(|| items.insert(index, value))?;
        }
        _ => return None,
    }
    Some(())
}

fn remove(object: &mut Value, path: &str) -> Option<()> {
    match find(object, path)? {
        (Value::Object(map), key) => map.remove(&key).map(drop),
        (Value::Array(items), key) => {
            let index = index(&key, items.len())?;
            (index < items.len()).then(|| drop(items.remove(index)))
        }
        _ => None,
    }
}

fn check_depth(path: &str, value: &Value) -> Option<()> {
    (path.matches('/').count() + depth(value) <= DEPTH_LIMIT).then_some(())
}

// The map or list that holds the last part of a path, and that part. What stands before the first slash says nothing.
fn find<'a>(object: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    let last = parts.pop()?;
    let mut holder = object;
    for part in parts {
        let part = unescaped(part);
        holder = match holder {
            Value::Object(map) => map.get_mut(&part)?,
            Value::Array(items) => {
                let index = index(&part, items.len())?;
                items.get_mut(index)?
            }
            _ => return None,
        };
    }
    Some((holder, unescaped(last)))
}

fn index(key: &str, length: usize) -> Option<usize> {
    let index: isize = key.parse().ok()?;
    if index < 0 { length.checked_sub(index.unsigned_abs()) } else { usize::try_from(index).ok() }
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}
