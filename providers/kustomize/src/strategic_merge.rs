//! Strategic merge patches as Kustomize applies them, which is not quite as the API server does.
//!
//! - Maps merge field by field; null removes a field; `$patch: delete | replace | merge` says otherwise.
//! - Lists merge only where the schema of a built-in kind says so ([`Shape`]), else the patch's list takes the place of
//!   the object's. Elements of the patch come first, in its order; then those of the object that it does not name.
//! - A list with two keys (ports, spread constraints) also matches when one side leaves the second key out on every
//!   element.
//!
//! # Source
//! <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md>

mod elements;

use engine_core::value::{Map, Text, Value};

use crate::kinds::Shape;
use crate::resource::{Gvk, text_of};
use crate::yaml::{self, Dialect};

use self::elements::{
    Tuple, append, complete, find, is_empty_element, key_text, set_element, valid_keys, with_keys,
};

const DIRECTIVE: &str = "$patch";

/// A patch that does not fit its object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MergeError {
    #[error("the object has a JSON {object} where the patch has a JSON {patch}")]
    Kinds { object: &'static str, patch: &'static str },
    #[error("`$patch: {0}` is not delete, replace or merge")]
    Directive(Text),
    #[error("a list that merges by key holds a JSON {0}")]
    Element(&'static str),
}

/// Applies a patch to an object; `None` means that it deletes the object. A patch that says `$patch: replace` for the
/// object as a whole changes nothing: Kustomize drops what it makes of it.
///
/// # Errors
/// See [`MergeError`].
pub(crate) fn apply(object: Map, patch: &Map) -> Result<Option<Map>, MergeError> {
    if map_directive(patch)?.0 == Directive::Replace {
        return Ok(Some(object));
    }
    let patch = Value::Map(patch.clone());
    match merge(Shape::Opaque, Some(Value::Map(object)), Patch::Other(&patch))? {
        Some(Value::Map(map)) => Ok(Some(map).filter(|map| !map.is_empty())),
        _ => Ok(None),
    }
}

/// What a value is patched with.
#[derive(Clone, Copy)]
enum Patch<'p> {
    /// Nothing.
    Absent,
    /// Itself: it comes from the patch and has not been in the object. Its directives still take effect.
    Own,
    Other(&'p Value),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges; `None` means that the value is to go.
fn merge(shape: Shape, dest: Option<Value>, patch: Patch<'_>) -> Result<Option<Value>, MergeError> {
    let is_present = |value: &&Value| !matches!(value, Value::Null);
    let other = match patch {
        Patch::Other(value) => Some(value),
        Patch::Absent | Patch::Own => None,
    };
    let first = dest.as_ref().filter(is_present).or_else(|| other.filter(is_present));
    match first {
        Some(Value::Map(map)) => {
            let shape = shape_of(shape, map, other);
            check_kinds(dest.as_ref(), other)?;
            merge_map(shape, dest, patch)
        }
        Some(Value::List(_)) => {
            check_kinds(dest.as_ref(), other)?;
            match shape {
                Shape::Merged(keys, _) => merge_list(shape, keys, dest.as_ref(), patch),
                _ => Ok(replaced(dest, patch)),
            }
        }
        Some(_) => {
            check_kinds(dest.as_ref(), other)?;
            Ok(replaced(dest, patch))
        }
        // Nothing but nulls: one in the object stays unless the patch says null too.
        None => Ok(dest.filter(|_| matches!(patch, Patch::Absent))),
    }
}

/// Returns the patch's value, or the object's where the patch has none; null clears.
///
/// A number or boolean in the place of text that needs its quotes takes over the quotes, and so becomes text. Kustomize
/// does that in the place of any quoted text; which other text was quoted is not known here.
fn replaced(dest: Option<Value>, patch: Patch<'_>) -> Option<Value> {
    match patch {
        Patch::Absent | Patch::Own => dest,
        Patch::Other(value @ (Value::Bool(_) | Value::Number(_))) => match dest {
            Some(Value::String(text)) if needs_quotes(&text) => Some(Value::String(text_of(Some(value)))),
            _ => Some(value.clone()),
        },
        Patch::Other(value) => Some(value.clone()),
    }
    .filter(|value| *value != Value::Null)
}

fn needs_quotes(text: &str) -> bool {
    !matches!(yaml::resolve(text, Dialect::Kustomize), Value::String(_))
}

fn check_kinds(dest: Option<&Value>, patch: Option<&Value>) -> Result<(), MergeError> {
    let class = |value: &Value| match value {
        Value::Map(_) => 0,
        Value::List(_) => 1,
        _ => 2,
    };
    match (dest, patch) {
        (Some(Value::Null) | None, _) | (_, Some(Value::Null) | None) => Ok(()),
        (Some(dest), Some(patch)) if class(dest) == class(patch) => Ok(()),
        (Some(dest), Some(patch)) => {
            Err(MergeError::Kinds { object: dest.kind_name(), patch: patch.kind_name() })
        }
    }
}

/// Returns the shape of a map: the given one, or that of the object which begins here.
fn shape_of(shape: Shape, map: &Map, patch: Option<&Value>) -> Shape {
    if shape != Shape::Opaque {
        return shape;
    }
    [Some(map), patch.and_then(Value::as_map)]
        .into_iter()
        .flatten()
        .find_map(|map| {
            let gvk = Gvk::new(&text_of(map.get("apiVersion")), text_of(map.get("kind")));
            match Shape::of_kind(&gvk.group, &gvk.version, &gvk.kind) {
                Shape::Opaque => None,
                shape => Some(shape),
            }
        })
        .unwrap_or(Shape::Opaque)
}

fn merge_map(shape: Shape, dest: Option<Value>, patch: Patch<'_>) -> Result<Option<Value>, MergeError> {
    match (dest, patch) {
        (Some(Value::Map(dest)), Patch::Absent) => merge_fields(shape, dest, None).map(Some),
        (Some(Value::Map(dest)), Patch::Own) => match map_directive(&dest)? {
            (Directive::Delete, _) => Ok(None),
            (_, own) => merge_own_fields(shape, &own).map(Some),
        },
        (_, Patch::Other(Value::Null)) => Ok(None),
        (Some(Value::Map(dest)), Patch::Other(Value::Map(patch))) => match map_directive(patch)? {
            (Directive::Delete, _) => Ok(None),
            (Directive::Replace, patch) => merge_own_fields(shape, &patch).map(Some),
            (Directive::Merge, patch) => merge_fields(shape, dest, Some(&patch)).map(Some),
        },
        (_, Patch::Other(Value::Map(patch))) => match map_directive(patch) {
            Ok((Directive::Delete, _)) => Ok(None),
            Ok((_, patch)) => merge_own_fields(shape, &patch).map(Some),
            Err(fault) => Err(fault),
        },
        (dest, _) => Ok(dest),
    }
}

fn merge_fields(shape: Shape, mut dest: Map, patch: Option<&Map>) -> Result<Value, MergeError> {
    let own = dest.keys().cloned();
    let mut names: Vec<Text> = own.chain(patch.iter().flat_map(|patch| patch.keys().cloned())).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let field = shape.field(&name);
        let patch = patch.and_then(|patch| patch.get(&name)).map_or(Patch::Absent, Patch::Other);
        if matches!(patch, Patch::Absent) && is_plain(field, dest.get(&name)) {
            continue;
        }
        match merge(field, dest.remove(&name), patch)? {
            Some(value) => dest.insert(name, value),
            None => continue,
        };
    }
    Ok(Value::Map(dest))
}

/// Tells whether a value that the patch does not name stays as it is for certain.
fn is_plain(shape: Shape, value: Option<&Value>) -> bool {
    match value {
        Some(Value::Map(map)) => {
            shape == Shape::Opaque
                && !map.contains_key("kind")
                && map.iter().all(|(_, value)| is_plain(shape, Some(value)))
        }
        Some(Value::List(_)) => !matches!(shape, Shape::Merged(..)),
        _ => true,
    }
}

fn merge_own_fields(shape: Shape, own: &Map) -> Result<Value, MergeError> {
    let mut merged = Vec::with_capacity(own.len());
    for (name, value) in own.iter() {
        if let Some(value) = merge(shape.field(name), Some(value.clone()), Patch::Own)? {
            merged.push((name.clone(), value));
        }
    }
    Ok(Value::map(merged))
}

/// Reads a map's directive and returns the map without it.
fn map_directive(map: &Map) -> Result<(Directive, Map), MergeError> {
    let Some(value) = map.get(DIRECTIVE) else {
        return Ok((Directive::Merge, map.clone()));
    };
    let directive = read_directive(value)?;
    let mut map = map.clone();
    map.remove(DIRECTIVE);
    Ok((directive, map))
}

fn read_directive(value: &Value) -> Result<Directive, MergeError> {
    match text_of(Some(value)).as_str() {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => Err(MergeError::Directive(other.into())),
    }
}

/// Reads a list's directive, an element that holds nothing else, and returns the list without it.
fn list_directive(items: &[Value]) -> Result<(Directive, Vec<Value>), MergeError> {
    let found = items.iter().find_map(|item| Some((item.as_map()?.len(), item.get(DIRECTIVE)?)));
    let Some((1, value)) = found else {
        return Ok((Directive::Merge, items.to_vec()));
    };
    let directive = read_directive(value)?;
    let written = text_of(Some(value));
    let items = set_element(items.to_vec(), None, &[DIRECTIVE], &[written])?;
    Ok((directive, items))
}

fn merge_list(
    shape: Shape,
    keys: &[&'static str],
    dest: Option<&Value>,
    patch: Patch<'_>,
) -> Result<Option<Value>, MergeError> {
    let items = |value: Option<&Value>| value.and_then(Value::as_list).unwrap_or_default().to_vec();
    let dest_items = items(dest);
    let merged = match patch {
        Patch::Absent => merge_elements(shape, keys, dest_items, None)?,
        Patch::Other(Value::Null) => return Ok(None),
        Patch::Own => match list_directive(&dest_items)? {
            (Directive::Delete, _) => return Ok(None),
            (_, own) => merge_elements(shape, keys, own, Some(Side::Same))?,
        },
        Patch::Other(patch) => {
            let patch_items = items(Some(patch));
            if !matches!(dest, Some(Value::List(_))) {
                merge_elements(shape, keys, patch_items, Some(Side::Same))?
            } else {
                match list_directive(&patch_items)? {
                    (Directive::Delete, _) => return Ok(None),
                    (Directive::Replace, patch) => merge_elements(shape, keys, patch, Some(Side::Same))?,
                    (Directive::Merge, patch) => {
                        merge_elements(shape, keys, dest_items, Some(Side::Items(&patch)))?
                    }
                }
            }
        }
    };
    Ok(Some(Value::list(merged)))
}

/// The list of a patch.
#[derive(Clone, Copy)]
enum Side<'p> {
    /// It is the list itself.
    Same,
    Items(&'p [Value]),
}

fn merge_elements(
    shape: Shape,
    keys: &[&'static str],
    mut dest: Vec<Value>,
    patch: Option<Side<'_>>,
) -> Result<Vec<Value>, MergeError> {
    let keys: &[&str] = if keys.is_empty() { &[""] } else { keys };
    let patch_items = match &patch {
        Some(Side::Items(items)) => items,
        _ => [].as_slice(),
    };
    let mut tuples: Vec<Tuple> = Vec::new();
    for element in patch_items.iter().chain(&dest) {
        let tuple: Tuple = keys.iter().map(|key| key_text(element, key)).collect();
        if !tuples.contains(&tuple) {
            tuples.push(tuple);
        }
    }
    if keys.len() > 1 {
        complete(&mut tuples);
    }
    let (valid_keys, columns) = valid_keys(&tuples, keys);
    let mut merged: Vec<Value> = Vec::new();
    for tuple in &tuples {
        let values: Tuple = columns.iter().map(|column| tuple[*column].clone()).collect();
        let at = find(&dest, &valid_keys, &values);
        let own = at.map(|at| dest[at].clone());
        let other = match &patch {
            Some(Side::Same) if own.is_some() => Patch::Own,
            Some(Side::Items(items)) => {
                find(items, &valid_keys, &values).map_or(Patch::Absent, |at| Patch::Other(&items[at]))
            }
            _ => Patch::Absent,
        };
        let keeps_own = !is_replacement(other);
        match merge(shape.element(), own, other)? {
            Some(element) if !is_empty_element(&element) => {
                let element = with_keys(element, &valid_keys, &values);
                if let Some(at) = at.filter(|_| keeps_own) {
                    dest[at] = element.clone();
                }
                merged = set_element(merged, Some(element), &valid_keys, &values)?;
            }
            _ => dest = set_element(dest, None, &valid_keys, &values)?,
        }
    }
    append(merged, &dest, &valid_keys)
}

/// An element that the patch replaces stays in the object's list, and so comes back: Kustomize does that too.
fn is_replacement(patch: Patch<'_>) -> bool {
    match patch {
        Patch::Other(value) => value.get(DIRECTIVE).and_then(Value::as_str) == Some("replace"),
        Patch::Absent | Patch::Own => false,
    }
}

#[cfg(test)]
mod tests;
