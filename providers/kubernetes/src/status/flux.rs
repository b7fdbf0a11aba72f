//! Flux: sources, Flux Kustomizations and Helm releases.

use engine_core::status::Status;

use super::view::View;

/// Returns Current once the newest generation is Ready, or the object is suspended by its spec.
///
/// Unlike other kinds, one without status is `InProgress`: its controller has not seen it.
///
/// # Source
/// <https://fluxcd.io/flux/components/kustomize/kustomizations/#kustomization-status>
pub(super) fn status(view: &View<'_>) -> Status {
    if view.is_true(&["spec", "suspend"]) {
        return Status::Current;
    }
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
