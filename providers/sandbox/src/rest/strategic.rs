//! Strategic merge patch of built-in kinds: maps by key, lists by their merge keys, `$patch: delete` and `replace`.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/>

use engine_kinds::schema::{KeyDefault, ListKey, ListRelation, ListType, Type};
use serde_json::{Map, Value, json};

use crate::error::{ApiError, ApiResult};

/// Lists whose merge key differs from the keys of server-side apply, by field name.
const MERGE_KEYS: [(&str, &str); 2] =
    [("ports", "containerPort"), ("topologySpreadConstraints", "topologyKey")];

/// Fields whose maps are replaced as a whole unless they say the same: `$retainKeys` in client-side apply.
const DIRECTIVES: [&str; 3] = ["$patch", "$retainKeys", "$setElementOrder"];

/// Applies a strategic merge patch.
///
/// # Errors
/// 400 if the patch is no object or uses a directive that the sandbox does not simulate.
pub(super) fn apply(ty: &Type, target: &mut Value, patch: &Value) -> ApiResult<()> {
    if !patch.is_object() {
        return Err(ApiError::BadRequest("error decoding patch: the patch is not a JSON object".into()));
    }
    merge(Some(ty), "", target, patch)
}

fn merge(ty: Option<&Type>, name: &str, target: &mut Value, patch: &Value) -> ApiResult<()> {
    let list = ty.and_then(|ty| ty.shape().list.as_ref());
    match (patch, list) {
        (Value::Object(patch), _) => merge_map(ty, target, patch),
        (Value::Array(items), Some(list)) => merge_list(list, name, target, items),
        _ => {
            *target = patch.clone();
            Ok(())
        }
    }
}

fn merge_map(ty: Option<&Type>, target: &mut Value, patch: &Map<String, Value>) -> ApiResult<()> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => *target = json!({}),
        Some("delete") => {
            *target = Value::Null;
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(ApiError::BadRequest(format!("unknown patch type found: {other}"))),
    }
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return Ok(()) };
    if let Some(kept) = patch.get("$retainKeys") {
        target.retain(|key, _| {
            kept.as_array().is_some_and(|kept| kept.iter().any(|name| name == key.as_str()))
        });
    }
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().map_or(&[][..], Vec::as_slice);
            if let Some(items) = target.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
        } else if DIRECTIVES.iter().any(|directive| key.starts_with(directive)) {
            // The order of list elements is kept as it is; the directive only rearranges them.
        } else if key.starts_with('$') && !key.starts_with("$ref") && !key.starts_with("$schema") {
            return Err(ApiError::BadRequest(format!("the sandbox does not simulate the directive {key}")));
        } else if value.is_null() {
            target.remove(key);
        } else {
            let entry = target.entry(key.clone()).or_insert(Value::Null);
            merge(ty.and_then(|ty| ty.field(key)), key, entry, value)?;
            if entry.is_null() {
                target.remove(key);
            }
        }
    }
    Ok(())
}

fn merge_list(list: &ListType, name: &str, target: &mut Value, patch: &[Value]) -> ApiResult<()> {
    let replaces = patch.iter().any(|item| item["$patch"] == "replace");
    let plain = || patch.iter().filter(|item| item["$patch"] != "replace").cloned().collect();
    let keys = match (&list.relation, target.as_array_mut()) {
        (ListRelation::Atomic, _) | (_, None) => None,
        (_, Some(_)) if replaces => None,
        (ListRelation::Set, Some(items)) => {
            let new: Vec<_> = patch.iter().filter(|item| !items.contains(item)).cloned().collect();
            items.extend(new);
            return Ok(());
        }
        (ListRelation::Map(keys), Some(items)) => Some((merge_key(keys, name, patch), items)),
    };
    let Some((keys, items)) = keys else {
        let fresh: Vec<Value> = plain();
        *target = fresh.into_iter().filter(|item| item["$patch"] != "delete").collect();
        return Ok(());
    };
    for change in patch {
        let found =
            items.iter().position(|item| keys.iter().all(|key| key_of(item, key) == key_of(change, key)));
        match found {
            Some(index) if change["$patch"] == "delete" => {
                items.remove(index);
            }
            Some(index) => merge(Some(&list.element), "", &mut items[index], change)?,
            None if change["$patch"] == "delete" => {}
            None => items.push(change.clone()),
        }
    }
    Ok(())
}

// Strategic merge tells elements apart by one key, server-side apply by several.
fn merge_key<'a>(keys: &'a [ListKey], name: &str, patch: &[Value]) -> Vec<&'a ListKey> {
    let single = MERGE_KEYS.iter().find(|(list, _)| *list == name).map_or("port", |(_, key)| key);
    let of_name = |wanted: &str| keys.iter().filter(|key| &*key.name == wanted).collect::<Vec<_>>();
    let stated = patch.iter().all(|item| keys.iter().all(|key| item.get(&*key.name).is_some()));
    if keys.len() > 1 && !stated && !of_name(single).is_empty() {
        of_name(single)
    } else {
        keys.iter().collect()
    }
}

fn key_of(item: &Value, key: &ListKey) -> Value {
    item.get(&*key.name).cloned().unwrap_or_else(|| match &key.default {
        Some(KeyDefault::String(text)) => json!(text),
        Some(KeyDefault::Integer(number)) => json!(number),
        Some(KeyDefault::Boolean(flag)) => json!(flag),
        None => Value::Null,
    })
}
