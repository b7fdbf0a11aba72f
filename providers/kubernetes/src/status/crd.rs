//! Custom resource definitions.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once the kind is served, Failed when its names are taken or it cannot be installed.
///
/// # Source
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#create-a-customresourcedefinition>
pub(super) fn status(view: &View<'_>) -> Status {
    for condition in view.conditions() {
        match (condition.kind, condition.status) {
            ("NamesAccepted", "False") => return Status::Failed(condition.words("its names are taken")),
            ("Established", "False") if condition.reason != Some("Installing") => {
                return Status::Failed(condition.words("cannot be established"));
            }
            ("Established", "True") => return Status::Current,
            _ => {}
        }
    }
    Status::InProgress(String::from("not established yet"))
}
