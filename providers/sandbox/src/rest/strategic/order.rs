//! The order of list elements after a strategic merge.
//!
//! # Source
//! The package `k8s.io/apimachinery/pkg/util/strategicpatch`: what the patch orders comes in that order, and what only
//! the live list has keeps its place as well as it can.

use serde_json::{Map, Value};

use super::{ORDER, bare, merge_key, merged_list, without_directives};
use crate::error::{ApiError, ApiResult};
use crate::form::Form;

/// Merges the lists for which the patch has a `$setElementOrder`, and takes both out of the patch.
///
/// # Errors
/// If the order does not name what the patch has.
pub(super) fn merge_ordered_lists(
    holder: Option<&Form>,
    target: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
) -> ApiResult<()> {
    let directives: Vec<String> = patch.keys().filter(|name| name.starts_with(ORDER)).cloned().collect();
    for directive in directives {
        let order = patch.remove(&directive).unwrap_or_default();
        let wrong = || ApiError::BadRequest("invalid patch format of setElementOrder list".into());
        let order = order.as_array().ok_or_else(wrong)?;
        let name = directive.trim_start_matches(ORDER);
        let key = merge_key(holder, name).unwrap_or_default();
        let taken = |value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(wrong()),
        };
        let live = taken(target.get(name).cloned())?;
        let changes = taken(patch.remove(name))?;
        check(key, changes.as_deref().unwrap_or_default(), order)?;
        let before = live.clone().unwrap_or_default();
        let merged = match (live, changes) {
            (None, None) => continue,
            (Some(live), None) => live,
            (None, Some(changes)) => changes.into_iter().filter_map(without_directives).collect(),
            (Some(live), Some(changes)) => {
                merged_list(holder.and_then(|form| form.field(name)), key, live, changes)?
            }
        };
        target.insert(name.to_owned(), Value::Array(ordered(key, merged, order, &before)));
    }
    Ok(())
}

// Elements of the patch must come in the given order, all of them.
fn check(key: &str, patch: &[Value], order: &[Value]) -> ApiResult<()> {
    if order.is_empty() {
        return Ok(());
    }
    let mut places = order.iter();
    let mut wanted = patch.iter().filter(|item| item.get("$patch").is_none());
    if wanted.all(|item| places.any(|place| is_same(key, place, item))) {
        return Ok(());
    }
    let shown = |list: &[Value]| shown(&Value::Array(list.to_vec()));
    let directive = ORDER.trim_end_matches('/');
    let (patch, order) = (shown(patch), shown(order));
    Err(bare(format!("The order in patch list:\n{patch}\n doesn't match {directive} list:\n{order}\n")))
}

fn is_same(key: &str, a: &Value, b: &Value) -> bool {
    if key.is_empty() { a == b } else { a.get(key).is_some() && a.get(key) == b.get(key) }
}

/// Puts elements in order: those of the patch as `order` has them, the others as they stood in the live list, each
/// before the first element that came after it there.
pub(super) fn ordered(key: &str, merged: Vec<Value>, order: &[Value], live: &[Value]) -> Vec<Value> {
    let place = |list: &[Value], item: &Value| list.iter().position(|other| is_same(key, other, item));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    others.sort_by_key(|item| place(live, item).unwrap_or(usize::MAX));
    let mut all = Vec::new();
    let mut others = others.into_iter().peekable();
    for item in named {
        let at = place(live, &item);
        while let Some(other) =
            others.next_if(|other| matches!((place(live, other), at), (Some(a), Some(b)) if a < b))
        {
            all.push(other);
        }
        all.push(item);
    }
    all.extend(others);
    all
}

/// A value as Go prints it: `map[a:1 b:[x y]]`.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries: Vec<_> =
                entries.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        scalar => scalar.to_string(),
    }
}
