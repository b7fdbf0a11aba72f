//! Finds which fields differ between two versions of an object.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use engine_kinds::schema::{Field, ListType, MapType, Type};
use serde_json::{Map, Value};

use super::element::{self, Element};
use super::fields::FieldSet;
use super::view::{View, entries, entry_type, items, named_items};

/// The differences from one version of an object to another.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) removed: FieldSet,
    /// Fields with another value, and fields that are new.
    pub(super) changed: FieldSet,
}

impl Comparison {
    /// Compares two objects of a type.
    pub(super) fn of(ty: &Type, before: &Value, after: &Value) -> Self {
        let mut walk = Walk::default();
        walk.value(ty, Some(before), Some(after));
        walk.found
    }

    /// Drops differences in top-level fields.
    pub(super) fn without_fields(self, names: &[&str]) -> Self {
        Self { removed: self.removed.without_fields(names), changed: self.changed.without_fields(names) }
    }

    /// Returns what a manager still owns after someone else made these changes.
    pub(super) fn released_from(&self, owned: &FieldSet) -> FieldSet {
        owned.clone().difference(&self.changed).difference(&self.removed)
    }
}

#[derive(Default)]
struct Walk {
    path: Vec<Element>,
    found: Comparison,
}

impl Walk {
    fn value(&mut self, ty: &Type, before: Option<&Value>, after: Option<&Value>) {
        let mut leaf = false;
        for view in View::of_change(ty, before, after) {
            leaf = view.is_leaf(before, after);
            match view {
                _ if leaf => self.leaf(before, after),
                View::Scalar(_) => {}
                View::List(list) => self.list(list, items(before), items(after)),
                View::Map(map) => self.map(map, entries(before), entries(after)),
            }
        }
        // A list or map that comes or goes is a difference beside those of its entries.
        if !leaf && before.is_none() {
            self.found.changed.insert(&self.path);
        } else if !leaf && after.is_none() {
            self.found.removed.insert(&self.path);
        }
    }

    fn leaf(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (_, None) => self.found.removed.insert(&self.path),
            (Some(before), Some(after)) if element::compare(before, after).is_eq() => {}
            _ => self.found.changed.insert(&self.path),
        }
    }

    fn map(
        &mut self,
        map: &MapType,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
    ) {
        let names = before.into_iter().chain(after).flat_map(Map::keys);
        for name in names.collect::<BTreeSet<_>>() {
            let Some(ty) = entry_type(map, name) else { continue };
            let unwritten = map.fields.get(name.as_str()).and_then(unwritten);
            let before = before.and_then(|side| side.get(name).or(unwritten));
            let after = after.and_then(|side| side.get(name).or(unwritten));
            self.path.push(Element::field(name));
            self.value(ty, before, after);
            self.path.pop();
        }
    }

    fn list(&mut self, list: &ListType, before: &[Value], after: &[Value]) {
        let mut sides: BTreeMap<Element, [Vec<&Value>; 2]> = BTreeMap::new();
        for (side, values) in [before, after].into_iter().enumerate() {
            for (element, value) in named_items(list, values) {
                sides.entry(element).or_default()[side].push(value);
            }
        }
        for (element, [before, after]) in sides {
            self.path.push(element);
            self.items(&list.element, &before, &after);
            self.path.pop();
        }
    }

    /// Compares the elements of one name. Duplicates, which an update may bring in, count as one leaf.
    fn items(&mut self, ty: &Type, before: &[&Value], after: &[&Value]) {
        match (before, after) {
            ([] | [_], [] | [_]) => self.value(ty, before.first().copied(), after.first().copied()),
            ([_, _, ..], [_, _, ..]) => {
                let pairs = before.iter().zip(after);
                let same = before.len() == after.len()
                    && pairs.into_iter().all(|(before, after)| element::compare(before, after).is_eq());
                if !same {
                    self.found.changed.insert(&self.path);
                }
            }
            (_, [] | [_]) => {
                if let [one] = after {
                    self.value(ty, None, Some(one));
                }
                self.found.removed.insert(&self.path);
            }
            ([] | [_], _) => {
                if let [one] = before {
                    self.value(ty, Some(one), None);
                }
                self.found.changed.insert(&self.path);
            }
        }
    }
}

/// Returns what stands for a field that is always there when it is not written out.
fn unwritten(field: &Field) -> Option<&'static Value> {
    static EMPTY_MAP: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));
    if field.always {
        return Some(&EMPTY_MAP);
    }
    let list = field.ty.shape().list.as_ref();
    list.filter(|list| list.always).map(|_| &Value::Null)
}
