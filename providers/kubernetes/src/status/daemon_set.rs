//! Daemon sets.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once every node that should run a pod runs one that is updated, available and ready.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/>
pub(super) fn status(view: &View<'_>) -> Status {
    let seen = view.int(&["metadata", "generation"]).is_some()
        && view.int(&["status", "observedGeneration"]).is_some();
    let wanted = view.int(&["status", "desiredNumberScheduled"]);
    let Some(wanted) = wanted.filter(|_| seen) else {
        return Status::InProgress(String::from("not observed by its controller yet"));
    };
    let counters = [
        ("currentNumberScheduled", "created"),
        ("updatedNumberScheduled", "updated"),
        ("numberAvailable", "available"),
        ("numberReady", "ready"),
    ];
    for (name, word) in counters {
        let count = view.count(name);
        if wanted > count {
            return view.waiting(format!("{count} of {wanted} pods {word}"));
        }
    }
    Status::Current
}
