//! Removes what a manager applied before and applies no longer.

use engine_kinds::schema::{ListRelation, ListType, MapRelation, MapType, Type};
use serde_json::{Map, Value};

use super::element::Element;
use super::fields::FieldSet;
use super::own::fields_of;
use super::view::{View, entry_type, named_items};

/// A merged object without what its manager no longer applies.
pub(super) struct Pruned {
    /// The object.
    pub(super) object: Value,
    /// The object with null for every list and map that lost its last entry. Kubernetes compares this form:
    /// who owns an emptied map itself goes on owning it.
    pub(super) compared: Value,
}

/// Removes from a merged object what is in `last`, the manager's former fields, unless it is in `owned`,
/// the fields of all managers now, the applying one included.
///
/// An element or entry that leaves takes with it what is below it, owned by nobody or not; an element that
/// the manager did not own before stays, even if all it held is gone.
pub(super) fn prune(ty: &Type, merged: Value, last: &FieldSet, owned: &FieldSet) -> Pruned {
    if last.is_empty() {
        return Pruned { object: merged.clone(), compared: merged };
    }
    let complete = |set: FieldSet| set.with_declared_parents(Some(ty));
    let kept_without = |gone: &FieldSet| complete(fields_of(ty, &without(ty, &merged, gone, Emptied::Null)));
    let last = complete(last.clone());
    let all = complete(fields_of(ty, &merged));

    let unowned = all.clone().difference(&kept_without(&last).union(&complete(owned.clone())));
    let gone = all.difference(&kept_without(&unowned)).intersection(&last);
    Pruned {
        object: without(ty, &merged, &gone, Emptied::Dropped),
        compared: without(ty, &merged, &gone, Emptied::Null),
    }
}

/// What becomes of a list or map that lost its last entry. Either way what holds it still holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Emptied {
    Null,
    Dropped,
}

fn without(ty: &Type, object: &Value, gone: &FieldSet, emptied: Emptied) -> Value {
    match (Removal { emptied }).value(ty, object, gone) {
        Value::Null => Value::Object(Map::new()),
        object => object,
    }
}

struct Removal {
    emptied: Emptied,
}

impl Removal {
    /// Returns what remains of a value, null if nothing does.
    fn value(&self, ty: &Type, value: &Value, gone: &FieldSet) -> Value {
        match (View::of(ty, Some(value)), value) {
            (Some(View::List(list)), Value::Array(values)) if !values.is_empty() => {
                self.list(list, values, gone)
            }
            (Some(View::Map(map)), Value::Object(values)) if !values.is_empty() => {
                self.map(map, values, gone)
            }
            _ => value.clone(),
        }
    }

    fn list(&self, list: &ListType, values: &[Value], gone: &FieldSet) -> Value {
        if list.relation == ListRelation::Atomic {
            return Value::Null;
        }
        let named = named_items(list, values).into_iter().filter(|(element, _)| !gone.has(element));
        let rest: Vec<_> =
            named.map(|(element, value)| self.entry(Some(&list.element), &element, value, gone)).collect();
        if rest.is_empty() { Value::Null } else { Value::Array(rest.into_iter().flatten().collect()) }
    }

    fn map(&self, map: &MapType, values: &Map<String, Value>, gone: &FieldSet) -> Value {
        if map.relation == MapRelation::Atomic {
            return Value::Null;
        }
        let named = values.iter().map(|(name, value)| (name, Element::field(name), value));
        let named = named.filter(|(_, element, _)| !gone.has(element));
        let rest: Vec<_> = named
            .map(|(name, element, value)| {
                self.entry(entry_type(map, name), &element, value, gone).map(|rest| (name.clone(), rest))
            })
            .collect();
        if rest.is_empty() { Value::Null } else { Value::Object(rest.into_iter().flatten().collect()) }
    }

    /// Returns what remains of an entry that stays; `None` if nothing does and that is to be dropped.
    fn entry(&self, ty: Option<&Type>, element: &Element, value: &Value, gone: &FieldSet) -> Option<Value> {
        let (Some(ty), Some(below)) = (ty, gone.below(element)) else { return Some(value.clone()) };
        let rest = self.value(ty, value, below);
        let dropped = rest.is_null() && !value.is_null() && self.emptied == Emptied::Dropped;
        (!dropped).then_some(rest)
    }
}
