//! Lays an applied configuration over a live object.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine_kinds::schema::{ListType, MapType, Type};
use serde_json::{Map, Value};

use super::element::Element;
use super::view::{View, entries, entry_type, items, named_items};

/// Returns the live value with everything that the applied one states put in its place.
pub(super) fn combine(ty: &Type, live: &Value, applied: &Value) -> Value {
    value(ty, Some(live), Some(applied)).unwrap_or_else(|| live.clone())
}

fn value(ty: &Type, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let deciding = if applied.is_some() { applied } else { live };
    let whole = || deciding.cloned();
    match View::of(ty, deciding) {
        Some(view) if view.is_leaf(live, applied) => whole(),
        Some(View::List(list)) => elements(list, items(live), items(applied)),
        Some(View::Map(map)) => fields(map, entries(live), entries(applied)),
        _ => whole(),
    }
}

fn fields(
    map: &MapType,
    live: Option<&Map<String, Value>>,
    applied: Option<&Map<String, Value>>,
) -> Option<Value> {
    let names: BTreeSet<&String> = live.into_iter().chain(applied).flat_map(Map::keys).collect();
    let combined = names.into_iter().filter_map(|name| {
        let live = live.and_then(|live| live.get(name));
        let applied = applied.and_then(|applied| applied.get(name));
        let combined = match entry_type(map, name) {
            Some(ty) => value(ty, live, applied),
            None => live.cloned(),
        };
        Some((name.clone(), combined?))
    });
    let combined: Map<String, Value> = combined.collect();
    (!combined.is_empty()).then_some(Value::Object(combined))
}

/// Combines two lists. Elements that both have come in the order of the applied list; those that only the
/// live list has keep their place between them.
fn elements(list: &ListType, live: &[Value], applied: &[Value]) -> Option<Value> {
    let sides =
        Sides { ty: &list.element, live: named_items(list, live), applied: named_items(list, applied) };
    let combined = sides.combine();
    (!combined.is_empty()).then_some(Value::Array(combined))
}

struct Sides<'v> {
    ty: &'v Type,
    live: Vec<(Element, &'v Value)>,
    applied: Vec<(Element, &'v Value)>,
}

impl Sides<'_> {
    fn combine(&self) -> Vec<Value> {
        // Of duplicates none is taken, so that they give way to the applied element.
        let mut in_live: BTreeMap<&Element, Option<&Value>> = BTreeMap::new();
        for (name, value) in &self.live {
            in_live.entry(name).and_modify(|found| *found = None).or_insert(Some(value));
        }
        let in_applied: BTreeSet<&Element> = self.applied.iter().map(|(name, _)| name).collect();
        // Shared elements in the order in which their turns come.
        let names = self.applied.iter().map(|(name, _)| name);
        let mut due: VecDeque<&Element> = names.filter(|name| in_live.contains_key(name)).collect();
        let mut done: BTreeSet<&Element> = BTreeSet::new();
        let mut combined = Vec::new();
        let (mut l, mut a) = (0, 0);
        while l < self.live.len() || a < self.applied.len() {
            let applied = self.applied.get(a);
            if let Some((name, live)) = self.live.get(l) {
                if !in_applied.contains(name) {
                    combined.extend(value(self.ty, Some(live), None));
                    l += 1;
                    continue;
                }
                // A shared element waits for its turn in the applied order; where it stood is passed over.
                let same = applied.is_some_and(|(next, _)| next == name);
                if !same && applied.is_some() && due.front().is_some_and(|turn| *turn != name) {
                    l += 1;
                    continue;
                }
                if same || done.contains(name) {
                    l += 1;
                }
            }
            if let Some((name, applied)) = applied {
                let live = in_live.get(name).copied().flatten();
                combined.extend(value(self.ty, live, Some(applied)));
                done.insert(name);
                if due.front() == Some(&name) {
                    due.pop_front();
                }
                a += 1;
            }
        }
        combined
    }
}
