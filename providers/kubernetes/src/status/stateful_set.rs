//! Stateful sets.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once all replicas are ready and, for rolling updates, of the newest revision. With
/// `OnDelete`, when pods are renewed is up to the user.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies>
pub(super) fn status(view: &View<'_>) -> Status {
    if view.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return Status::Current;
    }
    let wanted = view.int(&["spec", "replicas"]).unwrap_or(1);
    let replicas = view.count("replicas");
    let ready = view.count("readyReplicas");
    if wanted > replicas {
        return view.waiting(format!("{replicas} of {wanted} replicas created"));
    }
    if wanted > ready {
        return view.waiting(format!("{ready} of {wanted} replicas ready"));
    }
    if replicas > wanted {
        return view.waiting(format!("{} replicas to remove", replicas - wanted));
    }
    match rollout(view, wanted) {
        Some(missing) => view.waiting(missing),
        None => Status::Current,
    }
}

fn rollout(view: &View<'_>, wanted: i64) -> Option<String> {
    if let Some(partition) = view.int(&["spec", "updateStrategy", "rollingUpdate", "partition"]) {
        let wanted = wanted.saturating_sub(partition);
        let updated = view.count("updatedReplicas");
        return (updated < wanted).then(|| format!("{updated} of {wanted} replicas updated"));
    }
    let current = view.count("currentReplicas");
    if wanted > current {
        return Some(format!("{current} of {wanted} replicas at the current revision"));
    }
    let revision = |name| view.text(&["status", name]);
    (revision("currentRevision") != revision("updateRevision"))
        .then(|| String::from("the rollout to the newest revision goes on"))
}
