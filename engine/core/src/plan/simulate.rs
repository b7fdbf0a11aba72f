//! The client tier: what an apply would lead to, where the server cannot be asked.

use engine_kinds::schema::{self, KeyDefault, ListKey, ListRelation, MapRelation, Type};

use crate::field_path::PathElement;
use crate::fields::FieldSet;
use crate::mark::FieldManager;
use crate::object::{ManagerEntry, Object};
use crate::object_ref::ApiVersion;
use crate::plan::custom_kinds::CustomSchema;
use crate::value::{Map, Text, Value};

/// Predicts an apply of `desired` over `live`: live, plus desired, minus the fields of ours that are no longer
/// desired and that nobody else owns. Without a live object: desired.
///
/// How lists and maps merge follows the schema of built-in kinds, and of kinds that the definition brings, whose
/// defaults are filled in where there is a live object to compare with. Of other kinds only our own managed fields tell
/// whether the server keeps keys for a list; a list that they say nothing about is replaced as a whole.
///
/// # Source
/// Kubernetes, Server-Side Apply: merge strategy, and "if you remove a field from a manifest and apply that
/// manifest".
pub fn simulate(
    live: Option<&Object>,
    desired: &Value,
    manager: &FieldManager,
    api_version: &ApiVersion,
    custom: Option<&CustomSchema>,
) -> Object {
    let Some(live) = live else {
        return Object::new(desired.clone());
    };
    let kind = desired.str_at(&["kind"]).unwrap_or_default();
    let builtin = schema::of(&api_version.group, &api_version.version, kind);
    let schema = custom.map(CustomSchema::merges).or(builtin.as_ref());
    let own = live.own_entry(manager, api_version).map(|entry| entry.fields).unwrap_or_default();
    let others: Vec<ManagerEntry> =
        live.managers().into_iter().filter(|entry| entry.manager != manager.as_str()).collect();
    let desired = with_keys(desired, schema);
    let mut body = live.body().clone();
    // An item of a list or a map that is owned as such goes with all that is in it.
    for path in own.paths() {
        let elsewhere = others.iter().any(|entry| entry.fields.touches(&path));
        if !elsewhere && path.lookup(&desired).is_none() {
            path.remove(&mut body);
        }
    }
    let mut merged = merge(Some(&body), &desired, Known { own: Some(&own), schema });
    if let Some(custom) = custom {
        custom.fill(&mut merged);
    }
    Object::new(merged)
}

/// What is known of the way a value merges.
#[derive(Clone, Copy)]
struct Known<'a> {
    own: Option<&'a FieldSet>,
    schema: Option<&'a Type>,
}

impl Known<'_> {
    fn field(&self, name: &Text) -> Self {
        Self {
            own: self.own.and_then(|own| own.child(&PathElement::Field(name.clone()))),
            schema: self.schema.and_then(|schema| schema.field(name)),
        }
    }

    fn item(&self, idx: usize, item: &Value) -> Self {
        let own = self.own.and_then(|own| own.child(own.item_element(idx, item)?));
        Self { own, schema: self.schema.and_then(Type::element) }
    }

    fn replaces_map(&self) -> bool {
        let map = self.schema.and_then(|schema| schema.shape().map.as_ref());
        map.is_some_and(|map| map.relation == MapRelation::Atomic)
    }

    /// Returns how the items of this list are told apart.
    fn items(&self) -> Items {
        match self.schema.and_then(list_relation) {
            Some(ListRelation::Map(keys)) => {
                Items::Keys(keys.iter().map(|key| (&*key.name).into()).collect())
            }
            Some(ListRelation::Set) => Items::Values,
            Some(ListRelation::Atomic) => Items::Whole,
            None => self.items_we_own(),
        }
    }

    fn items_we_own(&self) -> Items {
        let mut elements = self.own.into_iter().flat_map(FieldSet::children).map(|(element, _)| element);
        match elements.next() {
            Some(PathElement::Key(fields)) => {
                Items::Keys(fields.iter().map(|(name, _)| name.clone()).collect())
            }
            Some(PathElement::Item(_)) => Items::Values,
            _ => Items::Whole,
        }
    }
}

enum Items {
    Keys(Vec<Text>),
    Values,
    Whole,
}

fn list_relation(schema: &Type) -> Option<&ListRelation> {
    schema.shape().list.as_ref().map(|list| &list.relation)
}

/// Writes out the list keys that have a default: the server tells items apart by all keys.
fn with_keys(value: &Value, schema: Option<&Type>) -> Value {
    let Some(schema) = schema else {
        return value.clone();
    };
    match value {
        Value::Map(map) => {
            Value::map(map.iter().map(|(name, field)| (name.clone(), with_keys(field, schema.field(name)))))
        }
        Value::List(items) => {
            let keys = match list_relation(schema) {
                Some(ListRelation::Map(keys)) => keys.as_slice(),
                _ => &[],
            };
            Value::list(items.iter().map(|item| keyed(with_keys(item, schema.element()), keys)))
        }
        scalar => scalar.clone(),
    }
}

fn keyed(mut item: Value, keys: &[ListKey]) -> Value {
    for key in keys {
        if let (None, Some(_), Some(default)) = (item.get(&key.name), item.as_map(), &key.default) {
            let default = match default {
                KeyDefault::String(text) => Value::string(&**text),
                KeyDefault::Integer(int) => Value::from(*int),
                KeyDefault::Boolean(bool) => Value::from(*bool),
            };
            item.set_at(&[&key.name], default);
        }
    }
    item
}

fn merge(live: Option<&Value>, desired: &Value, known: Known<'_>) -> Value {
    match (live, desired) {
        (Some(Value::Map(live)), Value::Map(desired)) if !known.replaces_map() => {
            Value::Map(maps(live, desired, known))
        }
        (Some(Value::List(live)), Value::List(desired)) => lists(live, desired, known),
        _ => desired.clone(),
    }
}

fn maps(live: &Map, desired: &Map, known: Known<'_>) -> Map {
    let kept = live.iter().map(|(name, value)| (name.clone(), value.clone()));
    let merged =
        desired.iter().map(|(name, value)| (name.clone(), merge(live.get(name), value, known.field(name))));
    // Of equal keys the last one counts.
    kept.chain(merged).collect()
}

fn lists(live: &[Value], desired: &[Value], known: Known<'_>) -> Value {
    let items = known.items();
    if matches!(items, Items::Whole) {
        return Value::list(desired.iter().cloned());
    }
    let same = |a: &Value, b: &Value| match &items {
        Items::Keys(names) => names.iter().all(|name| a.get(name) == b.get(name)),
        _ => a == b,
    };
    let mut merged: Vec<Value> = live.to_vec();
    for (idx, item) in desired.iter().enumerate() {
        match merged.iter().position(|candidate| same(candidate, item)) {
            Some(at) => merged[at] = merge(Some(&merged[at]), item, known.item(idx, item)),
            None => merged.push(item.clone()),
        }
    }
    Value::list(merged)
}

#[cfg(test)]
mod tests;
