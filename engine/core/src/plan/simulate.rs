//! The client tier: what an apply would lead to, where the server cannot be asked.

use crate::field_path::{FieldPath, PathElement};
use crate::fields::FieldSet;
use crate::mark::FieldManager;
use crate::object::{ManagerEntry, Object};
use crate::object_ref::ApiVersion;
use crate::value::{Map, Value};

/// Predicts an apply of `desired` over `live`: live, plus desired, minus the fields of ours that are no longer
/// desired and that nobody else owns. Without a live object: desired.
pub fn simulate(
    live: Option<&Object>,
    desired: &Value,
    manager: &FieldManager,
    api_version: &ApiVersion,
) -> Object {
    let Some(live) = live else {
        return Object::new(desired.clone());
    };
    let own = live.own_entry(manager, api_version).map(|entry| entry.fields).unwrap_or_default();
    let others: Vec<ManagerEntry> =
        live.managers().into_iter().filter(|entry| entry.manager != manager.as_str()).collect();
    let mut body = live.body().clone();
    for path in own.leaves() {
        let elsewhere = others.iter().any(|entry| entry.fields.touches(&path));
        if !elsewhere && path.lookup(desired).is_none() {
            path.remove(&mut body);
        }
    }
    Object::new(merge(Some(&body), desired, Some(&own)))
}

fn merge(live: Option<&Value>, desired: &Value, own: Option<&FieldSet>) -> Value {
    match (live, desired) {
        (Some(Value::Map(live)), Value::Map(desired)) => Value::Map(maps(live, desired, own)),
        (Some(Value::List(live)), Value::List(desired)) => lists(live, desired, own),
        _ => desired.clone(),
    }
}

fn maps(live: &Map, desired: &Map, own: Option<&FieldSet>) -> Map {
    let mut merged = live.clone();
    for (name, value) in desired.iter() {
        let below = own.and_then(|own| own.child(&PathElement::Field(name.clone())));
        merged.insert(name.clone(), merge(live.get(name), value, below));
    }
    merged
}

/// Lists merge by key only where our own managed fields show that the server keeps keys for them.
fn lists(live: &[Value], desired: &[Value], own: Option<&FieldSet>) -> Value {
    let keyed =
        own.is_some_and(|own| own.children().any(|(element, _)| matches!(element, PathElement::Key(_))));
    let Some(own) = own.filter(|_| keyed) else {
        return Value::list(desired.iter().cloned());
    };
    let mut merged: Vec<Value> = live.to_vec();
    for (idx, item) in desired.iter().enumerate() {
        let element = own.item_element(idx, item);
        let path = element.map(|element| FieldPath::default().join(element.clone()));
        let place = path.and_then(|path| {
            let found = path.lookup(&Value::list(merged.iter().cloned()))?.clone();
            merged.iter().position(|candidate| *candidate == found)
        });
        match place {
            Some(at) => {
                merged[at] = merge(Some(&merged[at]), item, element.and_then(|element| own.child(element)));
            }
            None => merged.push(item.clone()),
        }
    }
    Value::list(merged)
}
