//! Finds which fields an applied configuration states.

use std::collections::BTreeMap;

use engine_kinds::schema::{ListRelation, ListType, MapRelation, MapType, Type};
use serde_json::{Map, Value};

use super::element::Element;
use super::fields::FieldSet;
use super::view::{View, entries, entry_type, items, named_items};

/// Returns the fields that a value states: its leaves, the elements of its lists, the entries of its
/// free-form maps, and its empty maps; declared fields with something below them only by what is below.
pub(super) fn fields_of(ty: &Type, value: &Value) -> FieldSet {
    let mut walk = Walk::default();
    walk.value(ty, value);
    walk.found
}

#[derive(Default)]
struct Walk {
    path: Vec<Element>,
    found: FieldSet,
}

impl Walk {
    fn value(&mut self, ty: &Type, value: &Value) {
        match View::of(ty, Some(value)) {
            Some(View::List(list)) if list.relation != ListRelation::Atomic => {
                self.list(list, items(Some(value)));
            }
            Some(View::Map(map)) if map.relation != MapRelation::Atomic => {
                self.map(map, entries(Some(value)));
            }
            _ => self.found.insert(&self.path),
        }
    }

    fn list(&mut self, list: &ListType, values: &[Value]) {
        let mut by_name: BTreeMap<Element, Vec<&Value>> = BTreeMap::new();
        for (element, value) in named_items(list, values) {
            by_name.entry(element).or_default().push(value);
        }
        for (element, values) in by_name {
            self.path.push(element);
            // Duplicates are one leaf.
            if let [value] = *values {
                self.value(&list.element, value);
            }
            self.found.insert(&self.path);
            self.path.pop();
        }
    }

    fn map(&mut self, map: &MapType, values: Option<&Map<String, Value>>) {
        for (name, value) in values.into_iter().flatten() {
            let Some(ty) = entry_type(map, name) else { continue };
            self.path.push(Element::field(name));
            self.value(ty, value);
            let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if empty || !map.fields.contains_key(name.as_str()) {
                self.found.insert(&self.path);
            }
            self.path.pop();
        }
    }
}
