//! Which object, in JSON.

use engine_core::object_ref::ObjectRef;
use serde::Serialize;

/// The fields that name an object, the same in every format.
#[derive(Serialize)]
pub(super) struct ObjectJson<'a> {
    cluster: &'a str,
    group: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
}

/// Returns the fields of an object.
pub(super) fn of_object(object_ref: &ObjectRef) -> ObjectJson<'_> {
    ObjectJson {
        cluster: object_ref.cluster.as_str(),
        group: &object_ref.kind.group,
        kind: &object_ref.kind.kind,
        namespace: object_ref.namespace.as_deref(),
        name: &object_ref.name,
    }
}
