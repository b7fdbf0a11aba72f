//! Behaviour of server-side apply as the Kubernetes documentation states it:
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

mod laws;
mod ownership;
mod update;

use engine_kinds::schema::{self, Type};
use serde_json::{Value, json};

use super::{Force, MergeError, Writer, apply, track_update};

pub(super) const EARLY: &str = "2024-01-01T00:00:00Z";
pub(super) const LATE: &str = "2024-01-02T00:00:00Z";

pub(super) fn deployment() -> Type {
    schema::of("apps", "v1", "Deployment").unwrap()
}

pub(super) fn config_map() -> Type {
    schema::of("", "v1", "ConfigMap").unwrap()
}

pub(super) fn service() -> Type {
    schema::of("", "v1", "Service").unwrap()
}

pub(super) fn writer<'a>(manager: &'a str, time: &'a str) -> Writer<'a> {
    Writer { manager, api_version: "apps/v1", subresource: "", time, resets: &["status"] }
}

pub(super) fn applied(ty: &Type, live: Option<&Value>, config: &Value, manager: &str) -> Value {
    apply(ty, live, config, &writer(manager, EARLY), Force::No).unwrap()
}

pub(super) fn conflicts(ty: &Type, live: &Value, config: &Value, manager: &str) -> Vec<String> {
    match apply(ty, Some(live), config, &writer(manager, EARLY), Force::No) {
        Err(MergeError::Conflict(conflicts)) => conflicts
            .into_iter()
            .map(|conflict| format!("{} {}: {}", conflict.manager, conflict.operation, conflict.field))
            .collect(),
        other => panic!("expected conflicts, got {other:?}"),
    }
}

/// Returns what a manager owns, or null if it has no entry.
pub(super) fn owned(object: &Value, manager: &str, operation: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let found =
        entries.into_iter().find(|entry| entry["manager"] == manager && entry["operation"] == operation);
    found.map_or(Value::Null, |mut entry| entry["fieldsV1"].take())
}

/// Returns the object without its entries.
pub(super) fn bare(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

/// Returns the object as a server would store it.
pub(super) fn stored(mut object: Value) -> Value {
    object["metadata"]["uid"] = json!("7b1e7f0a-0000-4000-8000-000000000000");
    object
}
