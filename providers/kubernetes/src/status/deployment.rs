//! Deployments.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once all replicas are of the newest template, ready and available, and the rollout is
/// over; Failed when it exceeded its deadline.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>
pub(super) fn status(view: &View<'_>) -> Status {
    let progressing = view.condition("Progressing");
    if let Some(condition) = &progressing
        && condition.reason == Some("ProgressDeadlineExceeded")
    {
        return Status::Failed(condition.words("the rollout exceeded its deadline"));
    }
    if let Some(missing) = missing(view) {
        return view.waiting(missing);
    }
    // Without a deadline the controller never writes the condition.
    let deadline = view.int(&["spec", "progressDeadlineSeconds"]);
    let tracked = deadline.is_some_and(|seconds| seconds != i64::from(i32::MAX));
    let rolled_out =
        progressing.as_ref().is_some_and(|it| it.is_true() && it.reason == Some("NewReplicaSetAvailable"));
    if tracked && !rolled_out {
        let words = progressing.map(|it| it.words("the rollout goes on"));
        return view.waiting(words.unwrap_or_else(|| String::from("the rollout has not begun")));
    }
    if !view.holds("Available") {
        let words = view.condition("Available").map(|it| it.words("not available"));
        return view.waiting(words.unwrap_or_else(|| String::from("not available yet")));
    }
    Status::Current
}

fn missing(view: &View<'_>) -> Option<String> {
    let wanted = view.int(&["spec", "replicas"]).unwrap_or(1);
    let replicas = view.count("replicas");
    let updated = view.count("updatedReplicas");
    let available = view.count("availableReplicas");
    let ready = view.count("readyReplicas");
    if wanted > replicas {
        Some(format!("{replicas} of {wanted} replicas created"))
    } else if wanted > updated {
        Some(format!("{updated} of {wanted} replicas updated"))
    } else if replicas > wanted {
        Some(format!("{} old replicas to remove", replicas - wanted))
    } else if updated > available {
        Some(format!("{available} of {updated} replicas available"))
    } else if wanted > ready {
        Some(format!("{ready} of {wanted} replicas ready"))
    } else {
        None
    }
}
