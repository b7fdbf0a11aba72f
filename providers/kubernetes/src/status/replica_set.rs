//! Replica sets.

use engine_core::status::Status;

use super::view::{Condition, View};

/// Returns Current once all replicas carry the labels, are available and ready.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/>
pub(super) fn status(view: &View<'_>) -> Status {
    if let Some(failure) = view.condition("ReplicaFailure").filter(Condition::is_true) {
        return Status::InProgress(failure.words("replicas cannot be created"));
    }
    let wanted = view.int(&["spec", "replicas"]).unwrap_or(1);
    let counters = [
        ("fullyLabeledReplicas", "labelled"),
        ("availableReplicas", "available"),
        ("readyReplicas", "ready"),
    ];
    for (name, word) in counters {
        let count = view.count(name);
        if wanted > count {
            return Status::InProgress(format!("{count} of {wanted} replicas {word}"));
        }
    }
    let replicas = view.count("replicas");
    if replicas > wanted {
        return Status::InProgress(format!("{} replicas to remove", replicas - wanted));
    }
    Status::Current
}
