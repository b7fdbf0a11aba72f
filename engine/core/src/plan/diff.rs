//! The difference of two objects, field by field.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::field_path::{FieldPath, KeyFields, PathElement};
use crate::fields::FieldSet;
use crate::graph::ResourceGraph;
use crate::plan::{Action, Change, FieldChange, Shown};
use crate::resource::Resource;
use crate::sensitive::SensitivePaths;
use crate::value::{Map, Text, Value};

/// Fields that the server keeps for itself and that no plan shows.
const BOOKKEEPING: [&[&str]; 7] = [
    &["status"],
    &["metadata", "creationTimestamp"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
];

/// Annotations of that sort.
const BOOKKEEPING_ANNOTATIONS: [&str; 1] = ["deprecated.daemonset.template.generation"];

/// Compares two objects. Sensitive values are withheld.
///
/// `keys` tells how lists name their items, as managed fields do; other lists of maps with distinct `name`s
/// are matched by name.
pub fn diff(before: &Value, after: &Value, keys: &FieldSet, sensitive: &SensitivePaths) -> Vec<FieldChange> {
    let mut differ = Differ { path: FieldPath::default(), changes: Vec::new(), sensitive };
    differ.value(Some(&shown_part(before)), Some(&shown_part(after)), Some(keys));
    differ.changes
}

/// Returns every field of an object that will be created, identity and marks left out.
pub fn creation(body: &Value, holes: &[FieldPath], sensitive: &SensitivePaths) -> Vec<FieldChange> {
    let mut body = shown_part(body);
    for path in [&["kind"] as &[&str], &["metadata", "name"], &["metadata", "namespace"]] {
        body.remove_at(path);
    }
    holes.iter().for_each(|hole| hole.remove(&mut body));
    let mut differ = Differ { path: FieldPath::default(), changes: Vec::new(), sensitive };
    for (name, field) in body.as_map().into_iter().flatten() {
        differ.step(PathElement::Field(name.clone()), |differ| {
            differ.value(None, Some(field), None);
        });
    }
    let mut changes = differ.changes;
    changes.retain(|change| change.after != Shown::Value(Value::Map(Map::default())));
    mark_unknown(&mut changes, holes);
    changes
}

/// Fills in what creations show. It is most of the work of a first plan, and each stands for itself.
pub fn show_creations(changes: &mut [Change], graph: &ResourceGraph) {
    let creations = changes.par_iter_mut().filter(|change| change.action == Action::Create);
    creations.for_each(|change| {
        if let Some(manifest) = graph.find(&change.object_ref).and_then(Resource::manifest) {
            change.fields = creation(manifest.body(), &manifest.hole_paths(), manifest.sensitive());
        }
    });
}

/// Shows the holes of a manifest as unknown.
pub fn mark_unknown(changes: &mut Vec<FieldChange>, holes: &[FieldPath]) {
    for hole in holes {
        match changes.iter_mut().find(|change| change.path == *hole) {
            Some(change) => change.after = Shown::Unknown,
            None => changes.push(FieldChange {
                path: hole.clone(),
                before: Shown::Absent,
                after: Shown::Unknown,
                drift: None,
            }),
        }
    }
    if !holes.is_empty() {
        changes.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// Returns the addresses and ports of a Service that the server will choose: a dry run names dummies for them, and at
/// apply come others. `own` are the fields that were asked for.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values>
pub fn allocated(before: &Value, after: &Value, own: &FieldSet) -> Vec<FieldPath> {
    if after.str_at(&["kind"]) != Some("Service") || after.str_at(&["apiVersion"]) != Some("v1") {
        return Vec::new();
    }
    let spec =
        ["clusterIP", "clusterIPs", "healthCheckNodePort"].map(|name| FieldPath::fields(["spec", name]));
    let ports = after.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default();
    let node_ports = ports.iter().map(|port| {
        let item = PathElement::Key(key_of(port, &["port".into(), "protocol".into()]));
        FieldPath::fields(["spec", "ports"]).join(item).join(PathElement::Field("nodePort".into()))
    });
    let is_new = |path: &FieldPath| {
        path.lookup(after).is_some() && path.lookup(before).is_none() && !own.contains(path)
    };
    spec.into_iter().chain(node_ports).filter(is_new).collect()
}

fn shown_part(body: &Value) -> Value {
    let mut body = body.clone();
    for path in BOOKKEEPING {
        if body.at(path).is_some() {
            body.remove_at(path);
        }
    }
    for field in ["labels", "annotations"] {
        let Some(Value::Map(map)) = body.at(&["metadata", field]) else {
            continue;
        };
        let mut map = map.clone();
        map.retain(|name, _| {
            !name.starts_with("terrane.dev/") && !BOOKKEEPING_ANNOTATIONS.contains(&name.as_str())
        });
        if map.is_empty() {
            body.remove_at(&["metadata", field]);
        } else {
            body.set_at(&["metadata", field], Value::Map(map));
        }
    }
    if body.at(&["metadata"]).and_then(Value::as_map).is_some_and(Map::is_empty) {
        body.remove_at(&["metadata"]);
    }
    body
}

struct Differ<'a> {
    path: FieldPath,
    changes: Vec<FieldChange>,
    sensitive: &'a SensitivePaths,
}

impl Differ<'_> {
    fn value(&mut self, before: Option<&Value>, after: Option<&Value>, keys: Option<&FieldSet>) {
        if before == after {
            return;
        }
        if self.sensitive.covers(&self.path) {
            return self.push(before.map(|_| SECRET), after.map(|_| SECRET));
        }
        let hides = self.sensitive.touches(&self.path);
        match (before, after) {
            (Some(Value::Map(before)), Some(Value::Map(after))) => self.maps(before, after, keys),
            (Some(Value::Map(before)), None) if hides => self.maps(before, &Map::default(), keys),
            (None, Some(Value::Map(after))) if hides => self.maps(&Map::default(), after, keys),
            (Some(Value::List(before)), Some(Value::List(after))) => self.lists(before, after, keys),
            (Some(Value::List(before)), None) if hides => self.by_index(before, &[], keys),
            (None, Some(Value::List(after))) if hides => self.by_index(&[], after, keys),
            _ => self.push(before.cloned().map(Shown::Value), after.cloned().map(Shown::Value)),
        }
    }

    fn push(&mut self, before: Option<Shown>, after: Option<Shown>) {
        self.changes.push(FieldChange {
            path: self.path.clone(),
            before: before.unwrap_or(Shown::Absent),
            after: after.unwrap_or(Shown::Absent),
            drift: None,
        });
    }

    fn step(&mut self, element: PathElement, inside: impl FnOnce(&mut Self)) {
        self.path.push(element);
        inside(self);
        self.path.pop();
    }

    fn maps(&mut self, before: &Map, after: &Map, keys: Option<&FieldSet>) {
        let names: BTreeSet<&Text> = before.keys().chain(after.keys()).collect();
        for name in names {
            let element = PathElement::Field(name.clone());
            let below = keys.and_then(|keys| keys.child(&element));
            self.step(element, |differ| {
                differ.value(before.get(name), after.get(name), below);
            });
        }
    }

    fn lists(&mut self, before: &[Value], after: &[Value], keys: Option<&FieldSet>) {
        let hides = self.sensitive.touches(&self.path);
        if let Some(names) = key_names(before, after, keys) {
            return self.by_key(before, after, &names, keys);
        }
        let maps = |items: &[Value]| items.iter().all(|item| item.as_map().is_some());
        if hides || before.len() == after.len() && maps(before) && maps(after) {
            self.by_index(before, after, keys);
        } else {
            let list = |items: &[Value]| Some(Shown::Value(Value::list(items.iter().cloned())));
            self.push(list(before), list(after));
        }
    }

    fn by_index(&mut self, before: &[Value], after: &[Value], keys: Option<&FieldSet>) {
        for idx in 0..before.len().max(after.len()) {
            let element = PathElement::Index(idx);
            let below = keys.and_then(|keys| keys.child(&element));
            self.step(element, |differ| {
                differ.value(before.get(idx), after.get(idx), below);
            });
        }
    }

    fn by_key(&mut self, before: &[Value], after: &[Value], names: &[Text], keys: Option<&FieldSet>) {
        let (old, new) = (keyed(before, names), keyed(after, names));
        let found = self.changes.len();
        let all: BTreeSet<&KeyFields> = old.keys().chain(new.keys()).collect();
        for key in all {
            let element = PathElement::Key(key.clone());
            let below = keys.and_then(|keys| keys.child(&element));
            self.step(element, |differ| {
                differ.value(old.get(key).copied(), new.get(key).copied(), below);
            });
        }
        if self.changes.len() == found {
            // The same items in another order.
            let order = |items: &[Value]| {
                let labels =
                    items.iter().map(|item| Value::string(PathElement::Key(key_of(item, names)).to_string()));
                Some(Shown::Value(Value::list(labels)))
            };
            self.push(order(before), order(after));
        }
    }
}

const SECRET: Shown = Shown::Sensitive { changed: true };

/// Returns the fields that name the items of two lists, if they name every item and no two alike.
fn key_names(before: &[Value], after: &[Value], keys: Option<&FieldSet>) -> Option<Vec<Text>> {
    let managed = keys.into_iter().flat_map(FieldSet::children).find_map(|(element, _)| match element {
        PathElement::Key(fields) => Some(fields.iter().map(|(name, _)| name.clone()).collect()),
        _ => None,
    });
    let names: Vec<Text> = managed.unwrap_or_else(|| vec!["name".into()]);
    let distinct = |items: &[Value]| {
        items.iter().all(|item| names.iter().all(|name| item.get(name).is_some()))
            && keyed(items, &names).len() == items.len()
    };
    (distinct(before) && distinct(after)).then_some(names)
}

fn key_of(item: &Value, names: &[Text]) -> KeyFields {
    KeyFields::new(&names.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect())
}

fn keyed<'a>(items: &'a [Value], names: &[Text]) -> BTreeMap<KeyFields, &'a Value> {
    items.iter().map(|item| (key_of(item, names), item)).collect()
}

#[cfg(test)]
mod tests;
