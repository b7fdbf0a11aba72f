//! Namespaces.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once the namespace takes objects.
///
/// # Source
/// <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus>
pub(super) fn status(view: &View<'_>) -> Status {
    match view.text(&["status", "phase"]) {
        Some("Active") => Status::Current,
        Some("Terminating") => Status::Terminating(String::from("being deleted")),
        _ => Status::InProgress(String::from("not active yet")),
    }
}
