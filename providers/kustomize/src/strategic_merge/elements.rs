//! Elements of lists that merge by key: what identifies one, and how it is found, set and added.

use engine_core::value::{Text, Value};

use super::MergeError;
use crate::resource::text_of;
use crate::yaml::{self, Dialect};

/// What identifies an element: one text a key, empty where the element has none.
pub(super) type Tuple = Vec<Text>;

pub(super) fn key_text(element: &Value, key: &str) -> Text {
    if key.is_empty() {
        return text_of(Some(element));
    }
    text_of(element.get(key))
}

pub(super) fn is_empty_element(element: &Value) -> bool {
    match element {
        Value::Null => true,
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// Gives tuples that agree where both have a value each other's values.
pub(super) fn complete(tuples: &mut [Tuple]) {
    for a in 0..tuples.len() {
        for b in 0..tuples.len() {
            if let Some(both) = agree(&tuples[a], &tuples[b]) {
                tuples[a].clone_from(&both);
                tuples[b] = both;
            }
        }
    }
}

fn agree(a: &Tuple, b: &Tuple) -> Option<Tuple> {
    let mut shares = false;
    let mut both = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        if a == b {
            shares = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    shares.then_some(both)
}

/// Returns the keys that any element has, and their columns; all of them if none has any.
pub(super) fn valid_keys<'k>(tuples: &[Tuple], keys: &[&'k str]) -> (Vec<&'k str>, Vec<usize>) {
    let used: Vec<usize> =
        (0..keys.len()).filter(|column| tuples.iter().any(|tuple| !tuple[*column].is_empty())).collect();
    let columns = if used.is_empty() { (0..keys.len()).collect() } else { used };
    (columns.iter().map(|column| keys[*column]).collect(), columns)
}

/// Finds the element that has these values; an empty value asks for nothing unless all are empty.
pub(super) fn find(items: &[Value], keys: &[&str], values: &[Text]) -> Option<usize> {
    let any = values.iter().any(|value| !value.is_empty());
    items.iter().position(|item| {
        let mut pairs = keys.iter().zip(values).filter(|(_, value)| !any || !value.is_empty());
        pairs.all(|(key, value)| match item {
            Value::Map(map) => map.get(key).is_some_and(|own| text_of(Some(own)) == *value),
            _ => key.is_empty() && text_of(Some(item)) == *value,
        })
    })
}

/// Makes sure that a merged element carries the keys it was found by.
pub(super) fn with_keys(mut element: Value, keys: &[&str], values: &[Text]) -> Value {
    if let Value::Map(map) = &mut element {
        for (key, value) in keys.iter().zip(values) {
            if !value.is_empty() && !map.contains_key(key) {
                map.insert((*key).into(), yaml::resolve(value, Dialect::Kustomize));
            }
        }
    }
    element
}

/// Puts an element in the place of every one that matches, or at the end; `None` removes those that match.
///
/// An empty value matches whatever has the key. Empty elements are dropped on the way.
pub(super) fn set_element(
    items: Vec<Value>,
    element: Option<Value>,
    keys: &[&str],
    values: &[Text],
) -> Result<Vec<Value>, MergeError> {
    let wants_maps = keys.first().is_some_and(|key| !key.is_empty())
        && values.first().is_some_and(|value| !value.is_empty());
    let mut kept = Vec::with_capacity(items.len() + 1);
    let mut matched = false;
    for item in items {
        if is_empty_element(&item) {
            continue;
        }
        if wants_maps && !matches!(item, Value::Map(_)) {
            kept.push(item);
            continue;
        }
        if !has_keys(&item, keys, values)? {
            if !values.is_empty() {
                kept.push(item);
            }
            continue;
        }
        matched = true;
        kept.extend(element.clone());
    }
    if !matched {
        kept.extend(element);
    }
    Ok(kept)
}

/// Tells whether an element has all the keys; a key for which no value is given counts as the one before it.
fn has_keys(item: &Value, keys: &[&str], values: &[Text]) -> Result<bool, MergeError> {
    let mut last = false;
    for (idx, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(idx) {
            last = match item {
                Value::Map(map) if !key.is_empty() => {
                    map.get(key).is_some_and(|own| value.is_empty() || text_of(Some(own)) == *value)
                }
                Value::Map(_) | Value::List(_) => return Err(MergeError::Element(item.kind_name())),
                _ if key.is_empty() => text_of(Some(item)) == *value,
                _ => return Err(MergeError::Element(item.kind_name())),
            };
        }
        if !last {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts the object's elements behind the merged ones; those that are merged keep the place they have.
pub(super) fn append(
    mut merged: Vec<Value>,
    dest: &[Value],
    keys: &[&str],
) -> Result<Vec<Value>, MergeError> {
    for element in dest {
        if keys[0].is_empty() {
            let text = text_of(Some(element));
            merged = set_element(merged, Some(element.clone()), &[""], &[text])?;
            continue;
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            match element {
                Value::Map(map) => match map.get(key) {
                    Some(value) => values.push(text_of(Some(value))),
                    None => merged.push(element.clone()),
                },
                Value::Null => merged.push(Value::Null),
                _ => return Err(MergeError::Element(element.kind_name())),
            }
        }
        if keys.len() > 1 {
            merged = set_element(merged, None, keys, &values)?;
        }
        merged = set_element(merged, Some(element.clone()), keys, &values)?;
    }
    Ok(merged)
}
