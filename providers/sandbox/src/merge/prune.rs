//! Removes what a manager applied before and applies no longer.

use engine_kinds::schema::{ListRelation, ListType, MapRelation, MapType, Type};
use serde_json::{Map, Value};

use super::element::Element;
use super::fields::FieldSet;
use super::own::fields_of;
use super::view::{View, entry_type, named_items};

/// Removes from a merged object what is in `last`, the manager's former fields, unless it is in `owned`,
/// the fields of all managers now, the applying one included.
///
/// An element or entry that leaves takes with it what is below it, owned by nobody or not; an element that
/// the manager did not own before stays, even if all it held is gone.
pub(super) fn prune(ty: &Type, merged: Value, last: &FieldSet, owned: &FieldSet) -> Value {
    if last.is_empty() {
        return merged;
    }
    let complete = |set: FieldSet| set.with_declared_parents(Some(ty));
    let last = complete(last.clone());
    let all = complete(fields_of(ty, &merged));
    let kept = |object: &Value| complete(fields_of(ty, object));

    let pruned = without(ty, &merged, &last);
    let unowned = all
        .clone()
        .difference(&kept(&pruned).union(&complete(owned.clone())));
    let pruned = without(ty, &merged, &unowned);
    let gone = all.difference(&kept(&pruned)).intersection(&last);
    without(ty, &merged, &gone)
}

fn without(ty: &Type, object: &Value, gone: &FieldSet) -> Value {
    remaining(ty, object, gone).unwrap_or_else(|| Value::Object(Map::new()))
}

/// Returns what remains of a value; `None` for a list or map of which nothing does.
fn remaining(ty: &Type, value: &Value, gone: &FieldSet) -> Option<Value> {
    match (View::of(ty, Some(value)), value) {
        (Some(View::List(list)), Value::Array(values)) if !values.is_empty() => {
            if list.relation == ListRelation::Atomic {
                None
            } else {
                remaining_items(list, values, gone)
            }
        }
        (Some(View::Map(map)), Value::Object(values)) if !values.is_empty() => {
            if map.relation == MapRelation::Atomic {
                None
            } else {
                remaining_entries(map, values, gone)
            }
        }
        _ => Some(value.clone()),
    }
}

fn remaining_items(list: &ListType, values: &[Value], gone: &FieldSet) -> Option<Value> {
    let named = named_items(list, values).into_iter();
    let rest: Vec<_> = named
        .filter_map(|(element, value)| entry(Some(&list.element), &element, value, gone))
        .collect();
    (!rest.is_empty()).then_some(Value::Array(rest))
}

fn remaining_entries(map: &MapType, values: &Map<String, Value>, gone: &FieldSet) -> Option<Value> {
    let rest = values.iter().filter_map(|(name, value)| {
        let rest = entry(entry_type(map, name), &Element::field(name), value, gone)?;
        Some((name.clone(), rest))
    });
    let rest: Map<String, Value> = rest.collect();
    (!rest.is_empty()).then_some(Value::Object(rest))
}

fn entry(ty: Option<&Type>, element: &Element, value: &Value, gone: &FieldSet) -> Option<Value> {
    if gone.has(element) {
        return None;
    }
    match (ty, gone.below(element)) {
        (Some(ty), Some(below)) => remaining(ty, value, below),
        _ => Some(value.clone()),
    }
}
