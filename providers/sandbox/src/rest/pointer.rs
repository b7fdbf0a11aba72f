//! JSON patch.
//!
//! # Source
//! RFC 6902 (JSON Patch) and RFC 6901 (JSON Pointer).

use serde_json::Value;

use crate::error::{ApiError, ApiResult};

/// Kubernetes refuses longer patches.
const OPERATION_LIMIT: usize = 10_000;

/// How much a patch may copy in all, in bytes of JSON, as in kube-apiserver.
const COPY_LIMIT: usize = 3 * 1024 * 1024;

/// How deep a patched object may be nested: as deep as one that is read from a request.
const DEPTH_LIMIT: usize = 127;

/// Applies a JSON patch, all of it or nothing that matters: the caller drops the object on an error.
///
/// # Errors
/// 400 if it is not a JSON patch, 422 if an operation does not fit the object.
pub(super) fn apply(object: &mut Value, patch: &Value) -> ApiResult<()> {
    let operations = patch.as_array().ok_or_else(|| {
        ApiError::BadRequest(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
                .into(),
        )
    })?;
    if operations.len() > OPERATION_LIMIT {
        return Err(ApiError::BadRequest(format!(
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
        if copied > COPY_LIMIT {
            return Err(ApiError::TooLarge(COPY_LIMIT));
        }
        step(object, operation).ok_or(ApiError::Unprocessable)?;
    }
    Ok(())
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
    let path = operation["path"].as_str()?;
    let value = || operation.get("value").cloned();
    match operation["op"].as_str()? {
        "add" => add(object, path, value()?),
        "remove" => remove(object, path).map(drop),
        "replace" => {
            object.pointer(path)?;
            remove(object, path);
            add(object, path, value()?)
        }
        "move" => {
            let moved = remove(object, operation["from"].as_str()?)?;
            add(object, path, moved)
        }
        "copy" => {
            let copied = object.pointer(operation["from"].as_str()?)?.clone();
            add(object, path, copied)
        }
        "test" => (object.pointer(path).unwrap_or(&Value::Null) == &value()?).then_some(()),
        _ => None,
    }
}

fn add(object: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.matches('/').count() + depth(&value) > DEPTH_LIMIT {
        return None;
    }
    let Some((parent, key)) = split(path) else {
        *object = value;
        return Some(());
    };
    match object.pointer_mut(parent)? {
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let index: usize = key.parse().ok()?;
            (index <= items.len()).then(|| items.insert(index, value))?;
        }
        _ => return None,
    }
    Some(())
}

fn remove(object: &mut Value, path: &str) -> Option<Value> {
    let (parent, key) = split(path)?;
    match object.pointer_mut(parent)? {
        Value::Object(map) => map.remove(&key),
        Value::Array(items) => {
            let index: usize = key.parse().ok()?;
            (index < items.len()).then(|| items.remove(index))
        }
        _ => None,
    }
}

// The parent's pointer and the decoded last part; `None` for the whole document.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}
