//! Persistent volume claims.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once the claim is bound, or waits for nothing but its first consumer.
///
/// The binding mode belongs to the storage class, which the object does not show. What tells them apart are
/// the annotations: the volume controller names the provisioner as soon as it begins, and of a class with
/// `WaitForFirstConsumer` it begins only after the scheduler picked a node. So a pending claim with neither
/// annotation, no volume asked for by name and not opted out of classes counts as Current: waiting for it
/// would never end, because the pod that it waits for waits for it. The price is that a claim of a class
/// that does not exist counts as Current too; its pod shows it.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode>
pub(super) fn status(view: &View<'_>) -> Status {
    match view.text(&["status", "phase"]).unwrap_or_default() {
        "Bound" => Status::Current,
        "Lost" => Status::Failed(String::from("its volume does not exist any more")),
        "Pending" => pending(view),
        _ => Status::InProgress(String::from("not seen by the volume controller yet")),
    }
}

fn pending(view: &View<'_>) -> Status {
    let annotation = |name: &str| view.text(&["metadata", "annotations", name]);
    let provisioner = annotation("volume.kubernetes.io/storage-provisioner")
        .or_else(|| annotation("volume.beta.kubernetes.io/storage-provisioner"));
    let node = annotation("volume.kubernetes.io/selected-node");
    let volume = view.text(&["spec", "volumeName"]).filter(|name| !name.is_empty());
    if let Some(volume) = volume {
        Status::InProgress(format!("waits to be bound to volume {volume}"))
    } else if let Some(provisioner) = provisioner {
        Status::InProgress(format!("waits for {provisioner} to make its volume"))
    } else if node.is_some() {
        Status::InProgress(String::from("waits for its volume"))
    } else if view.text(&["spec", "storageClassName"]) == Some("") {
        Status::InProgress(String::from("waits for a volume without a class that fits"))
    } else {
        Status::Current
    }
}
