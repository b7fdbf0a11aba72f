//! API services.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once the server behind the API answers.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/>
pub(super) fn status(view: &View<'_>) -> Status {
    match view.condition("Available") {
        Some(available) if available.is_true() => Status::Current,
        Some(available) => Status::InProgress(available.words("its server does not answer")),
        None => Status::InProgress(String::from("not tried yet")),
    }
}
