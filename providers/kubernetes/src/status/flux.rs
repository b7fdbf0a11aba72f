//! Flux: sources, Flux Kustomizations, Helm releases, image automation, receivers and instances.

use engine_core::status::Status;

use super::view::View;

/// Tells whether no controller will touch the object: it is suspended, switched off for the Flux Operator, or a Helm
/// repository of the type `oci`, which only says where charts are. Such an object keeps the status of an older
/// generation, or has none.
///
/// # Source
/// <https://fluxcd.io/flux/components/source/helmrepositories/#helm-oci-repository>
pub(super) fn is_at_rest(view: &View<'_>) -> bool {
    let (group, kind) = view.group_kind();
    let switch = view.text(&["metadata", "annotations", "fluxcd.controlplane.io/reconcile"]);
    match group {
        "fluxcd.controlplane.io" => switch == Some("disabled"),
        _ if !group.ends_with(".toolkit.fluxcd.io") => false,
        _ if view.is_true(&["spec", "suspend"]) => true,
        _ => kind == "HelmRepository" && view.text(&["spec", "type"]) == Some("oci"),
    }
}

/// Returns Current once the newest generation is Ready.
///
/// Unlike other kinds, one without status is `InProgress`: its controller has not seen it.
///
/// # Source
/// <https://fluxcd.io/flux/components/kustomize/kustomizations/#kustomization-status>
pub(super) fn status(view: &View<'_>) -> Status {
    let Some(ready) = view.condition("Ready") else {
        return Status::InProgress(String::from("not seen by its controller yet"));
    };
    let generation = view.int(&["metadata", "generation"]);
    let observed = ready.observed_generation.or_else(|| view.int(&["status", "observedGeneration"]));
    if observed.is_none() || observed < generation {
        return Status::InProgress(String::from("the newest generation is not reconciled yet"));
    }
    if ready.is_true() {
        return Status::Current;
    }
    let words = ready.words("not ready");
    Status::InProgress(match ready.reason {
        Some(reason) if ready.message.is_some() => format!("{reason}: {words}"),
        _ => words,
    })
}
