//! Ownership of an object's replicas, as the scale subresource shows it and hands it back.
//!
//! # Source
//! `ScaleHandler` of the package `k8s.io/apimachinery/pkg/util/managedfields`

use engine_kinds::schema::Type;
use serde_json::Value;

use super::element::Element;
use super::entries::{Entry, ManagedFields};
use super::fields::FieldSet;
use super::recorded;

/// The version of the scale subresource.
pub const SCALE_VERSION: &str = "autoscaling/v1";

/// Where a kind keeps its replicas: the names of the fields on the way.
pub type ReplicasPath<'a> = [&'a str];

/// Returns the managed fields of an object's scale: who owns its replicas.
pub fn entries_of_scale(schema: &Type, object: &Value, path: &ReplicasPath<'_>) -> Value {
    let mut scale = ManagedFields::default();
    for entry in recorded(schema, object).into_entries() {
        if entry.fields.contains(&elements(path)) {
            scale.set(entry.seen_as(SCALE_VERSION, only(&["spec", "replicas"])));
        }
    }
    Value::Array(scale.encode())
}

/// Returns the managed fields of an object whose scale has got others: who no longer owns the replicas of the scale does
/// not own those of the object either.
pub fn entries_with_scale(
    (schema, object): (&Type, &Value),
    path: &ReplicasPath<'_>,
    (scale, api_version): (&Value, &str),
) -> Value {
    let replicas = elements(path);
    let mut owners = ManagedFields::decode(scale).unwrap_or_default();
    let mut managed = ManagedFields::default();
    for mut entry in recorded(schema, object).into_entries() {
        if entry.fields.contains(&replicas) && owners.get(&entry.id).is_none() {
            entry.fields = entry.fields.difference(&only(path));
        }
        owners.remove(&entry.id);
        if !entry.fields.is_empty() {
            managed.set(entry);
        }
    }
    for entry in owners.into_entries() {
        if entry.fields.contains(&elements(&["spec", "replicas"])) {
            // The time of the write is not handed back.
            let entry = Entry { time: None, ..entry.seen_as(api_version, only(path)) };
            managed.set_beside(entry);
        }
    }
    Value::Array(managed.encode())
}

fn elements(path: &ReplicasPath<'_>) -> Vec<Element> {
    path.iter().map(|name| Element::field(name)).collect()
}

fn only(path: &ReplicasPath<'_>) -> FieldSet {
    let mut set = FieldSet::default();
    set.insert(&elements(path));
    set
}
