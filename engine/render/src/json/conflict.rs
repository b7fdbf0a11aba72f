//! The conflicts of a plan in JSON.

use engine_core::object::Operation;
use engine_core::plan::{FieldConflict, ObjectConflicts, Shown};
use engine_core::value::Value;
use serde::Serialize;

use super::object::{ObjectJson, of_object};
use super::plan::value;

/// A field of another manager, and what is done about it.
#[derive(Serialize)]
pub(super) struct ConflictJson<'a> {
    address: String,
    #[serde(flatten)]
    object: ObjectJson<'a>,
    path: String,
    manager: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subresource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<&'a Value>,
    sensitive: bool,
    unknown: bool,
    decision: &'static str,
}

/// Returns one entry for each field.
pub(super) fn conflict_list(conflicts: &[ObjectConflicts]) -> Vec<ConflictJson<'_>> {
    conflicts.iter().flat_map(|of| of.fields.iter().map(move |field| conflict_json(of, field))).collect()
}

fn conflict_json<'a>(of: &'a ObjectConflicts, field: &'a FieldConflict) -> ConflictJson<'a> {
    let sides = [&field.theirs, &field.ours];
    ConflictJson {
        address: of.address.to_string(),
        object: of_object(&of.object_ref),
        path: field.path.to_string(),
        manager: &field.manager,
        subresource: field.subresource.as_deref(),
        operation: field.operation.map(|operation| match operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }),
        time: field.time.as_deref(),
        live: value(&field.theirs),
        desired: value(&field.ours),
        sensitive: sides.iter().any(|it| matches!(it, Shown::Sensitive { .. })),
        unknown: sides.contains(&&Shown::Unknown),
        decision: field.decision.as_str(),
    }
}
