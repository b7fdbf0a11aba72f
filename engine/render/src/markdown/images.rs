//! Which container images change.

use std::collections::{BTreeMap, BTreeSet};

use engine_core::field_path::{FieldPath, KeyFields, PathElement};
use engine_core::object_ref::ObjectRef;
use engine_core::plan::{Change, Shown};
use engine_core::value::Value;

use super::effect::Effect;
use super::inert::cell;
use super::page::Section;

/// Objects named beside an image.
const MAX_OBJECTS: usize = 3;

/// Fields of a pod's specification that list containers.
const CONTAINERS: [&str; 3] = ["containers", "ephemeralContainers", "initContainers"];

pub(super) fn section(effect: &Effect<'_>) -> Section {
    let mut rows: BTreeMap<(Option<String>, Option<String>), BTreeSet<&ObjectRef>> = BTreeMap::new();
    for change in &effect.changes {
        for pair in pairs(change) {
            rows.entry(pair).or_default().insert(&change.object_ref);
        }
    }
    let rows = rows.into_iter().map(|((before, after), objects)| {
        let side = |image: Option<String>| image.map_or_else(|| "–".into(), |image| cell(&image));
        let mut names: Vec<String> = objects.iter().take(MAX_OBJECTS).map(|it| cell(&it.key())).collect();
        if objects.len() > MAX_OBJECTS {
            names.push(format!("{} more", objects.len() - MAX_OBJECTS));
        }
        format!("| {} | {} | {} |", side(before), side(after), names.join(", "))
    });
    Section::table("**Images**", "| From | To | Used by |", rows)
}

/// Returns the images that differ: what ran and what will.
fn pairs(change: &Change) -> BTreeSet<(Option<String>, Option<String>)> {
    let mut found = BTreeSet::new();
    for field in &change.fields {
        let (before, after) = (images(&field.path, &field.before), images(&field.path, &field.after));
        let places: BTreeSet<&FieldPath> = before.keys().chain(after.keys()).collect();
        for place in places {
            let pair = (before.get(place).cloned(), after.get(place).cloned());
            if pair.0 != pair.1 {
                found.insert(pair);
            }
        }
    }
    found
}

fn images(path: &FieldPath, shown: &Shown) -> BTreeMap<FieldPath, String> {
    let mut found = BTreeMap::new();
    if let Shown::Value(value) = shown {
        collect(&mut path.clone(), value, &mut found);
    }
    found
}

fn collect(path: &mut FieldPath, value: &Value, found: &mut BTreeMap<FieldPath, String>) {
    match value {
        Value::String(image) if is_image(path) => {
            found.insert(path.clone(), image.to_string());
        }
        Value::Map(map) => {
            for (name, field) in map.iter() {
                path.push(PathElement::Field(name.clone()));
                collect(path, field, found);
                path.pop();
            }
        }
        Value::List(items) => {
            for (idx, item) in items.iter().enumerate() {
                path.push(element(idx, item));
                collect(path, item, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Containers are known by name, so that one added before another does not make both look changed.
fn element(idx: usize, item: &Value) -> PathElement {
    match item.get("name") {
        Some(name) => {
            let key = [("name".into(), name.clone())].into_iter().collect();
            PathElement::Key(KeyFields::new(&key))
        }
        None => PathElement::Index(idx),
    }
}

fn is_image(path: &FieldPath) -> bool {
    match path.elements() {
        [.., PathElement::Field(list), _, PathElement::Field(image)] => {
            image == "image" && CONTAINERS.contains(&list.as_str())
        }
        _ => false,
    }
}
