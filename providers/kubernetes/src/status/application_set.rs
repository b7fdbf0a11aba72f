//! Argo CD application sets.

use engine_core::status::Status;

use super::view::{Condition, View};

/// Returns Current once the applications are what the set asks for. That they have converged is their own matter.
///
/// # Source
/// <https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Controlling-Resource-Modification/>
pub(super) fn status(view: &View<'_>) -> Status {
    if let Some(error) = view.condition("ErrorOccurred").filter(Condition::is_true) {
        return Status::InProgress(error.words("an error occurred"));
    }
    match view.condition("ResourcesUpToDate") {
        Some(up_to_date) if up_to_date.is_true() => Status::Current,
        Some(stale) => Status::InProgress(stale.words("its applications are not up to date")),
        None => Status::InProgress(String::from("not seen by its controller yet")),
    }
}
