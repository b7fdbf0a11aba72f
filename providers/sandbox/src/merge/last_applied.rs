//! The annotation in which client-side apply keeps its last configuration, as server-side apply by kubectl takes it over.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply>

use engine_kinds::schema::Type;
use serde_json::Value;

use super::compare::Comparison;
use super::fields::FieldSet;
use super::{Writer, check, own};

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The only manager to which this applies.
const MANAGER: &str = "kubectl";

fn annotation(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"][ANNOTATION].as_str().filter(|text| !text.is_empty())
}

/// Returns the fields that the writer may take from others: those that client-side apply has set and nobody has changed.
pub(super) fn free_fields(schema: &Type, live: &Value, writer: &Writer<'_>) -> FieldSet {
    let last = annotation(live).filter(|_| writer.manager == MANAGER);
    let last = last.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(last) = last.filter(|last| last["apiVersion"] == writer.api_version) else {
        return FieldSet::default();
    };
    if !check::faults(schema, &last).is_empty() {
        return FieldSet::default();
    }
    let changes = Comparison::of(schema, &last, live);
    changes.released_from(&own::fields_of(schema, &last))
}

/// Returns the object with the annotation, if it has one, telling the configuration that was applied.
pub(super) fn refreshed(mut object: Value, applied: &Value, writer: &Writer<'_>) -> Value {
    if writer.manager != MANAGER || annotation(&object).is_none() {
        return object;
    }
    let mut applied = applied.clone();
    let annotations = applied.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.remove(ANNOTATION);
    }
    object["metadata"]["annotations"][ANNOTATION] = Value::from(format!("{applied}\n"));
    object
}
