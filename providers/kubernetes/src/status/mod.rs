//! Readiness: whether an object has converged.
//!
//! Compatible with kstatus, with what kstatus leaves out: a Job must complete, a load balancer needs an
//! address, an `APIService` must be available, a namespace active, and Flux and Argo CD kinds have converged
//! what they deliver.
//!
//! A new kind takes one file with a function `fn(&View) -> Status`, and one line in [`RULES`]. A rule sees
//! objects that are not being deleted and whose newest generation was observed; what holds for all kinds is
//! in [`status`].
//!
//! # Source
//! <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>

mod view;

mod api_service;
mod application;
mod application_set;
mod crd;
mod daemon_set;
mod deployment;
mod flux;
mod job;
mod namespace;
mod pod;
mod pvc;
mod replica_set;
mod rule;
mod service;
mod stateful_set;
mod trouble;

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use engine_core::object::Object;
use engine_core::status::Status;

pub(crate) use rule::Rules;
pub(crate) use trouble::trouble;
use view::{Condition, View};

/// A rule for a kind of a group.
type Rule = (&'static str, &'static str, fn(&View<'_>) -> Status);

/// Group, kind and rule.
static RULES: &[Rule] = &[
    ("", "ConfigMap", current),
    ("", "Namespace", namespace::status),
    ("", "PersistentVolumeClaim", pvc::status),
    ("", "Pod", pod::status),
    ("", "Secret", current),
    ("", "Service", service::status),
    ("apiextensions.k8s.io", "CustomResourceDefinition", crd::status),
    ("apiregistration.k8s.io", "APIService", api_service::status),
    ("apps", "DaemonSet", daemon_set::status),
    ("apps", "Deployment", deployment::status),
    ("apps", "ReplicaSet", replica_set::status),
    ("apps", "StatefulSet", stateful_set::status),
    ("argoproj.io", "Application", application::status),
    ("argoproj.io", "ApplicationSet", application_set::status),
    ("batch", "CronJob", current),
    ("batch", "Job", job::status),
    ("extensions", "DaemonSet", daemon_set::status),
    ("extensions", "Deployment", deployment::status),
    ("extensions", "ReplicaSet", replica_set::status),
    ("fluxcd.controlplane.io", "FluxInstance", flux::status),
    ("fluxcd.controlplane.io", "ResourceSet", flux::status),
    ("helm.toolkit.fluxcd.io", "HelmRelease", flux::status),
    ("image.toolkit.fluxcd.io", "ImagePolicy", flux::status),
    ("image.toolkit.fluxcd.io", "ImageRepository", flux::status),
    ("image.toolkit.fluxcd.io", "ImageUpdateAutomation", flux::status),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", flux::status),
    ("notification.toolkit.fluxcd.io", "Alert", current),
    ("notification.toolkit.fluxcd.io", "Provider", current),
    ("notification.toolkit.fluxcd.io", "Receiver", flux::status),
    ("policy", "PodDisruptionBudget", current),
    ("source.toolkit.fluxcd.io", "Bucket", flux::status),
    ("source.toolkit.fluxcd.io", "GitRepository", flux::status),
    ("source.toolkit.fluxcd.io", "HelmChart", flux::status),
    ("source.toolkit.fluxcd.io", "HelmRepository", flux::status),
    ("source.toolkit.fluxcd.io", "OCIRepository", flux::status),
];

/// Returns the readiness of an object; `None` when its kind has no rule and it shows no conditions.
pub(crate) fn status(object: &Object, now: SystemTime) -> Option<Status> {
    let view = View::new(object.body(), now);
    if object.is_terminating() {
        return Some(Status::Terminating(deletion(&view)));
    }
    if flux::is_at_rest(&view) {
        return Some(Status::Current);
    }
    if let Some(status) = unobserved(&view).or_else(|| announced(&view)) {
        return Some(status);
    }
    let (group, kind) = view.group_kind();
    let rule = RULES.iter().find(|rule| (rule.0, rule.1) == (group, kind));
    match rule {
        Some((.., rule)) => Some(rule(&view)),
        None => by_conditions(&view),
    }
}

/// Kinds that are what they are as soon as they exist.
fn current(_: &View<'_>) -> Status {
    Status::Current
}

/// Says what holds a deletion: the conditions of a namespace, or finalizers.
fn deletion(view: &View<'_>) -> String {
    let mut holders: Vec<&str> = view.texts(&["metadata", "finalizers"]);
    holders.extend(view.texts(&["spec", "finalizers"]));
    let reasons: Vec<_> = view
        .conditions()
        .filter(|condition| condition.kind.starts_with("Namespace") && condition.is_true())
        .filter_map(|condition| condition.message)
        .collect();
    match (reasons.is_empty(), holders.is_empty()) {
        (false, _) => reasons.join("; "),
        (true, false) => format!("waits for {}", holders.join(", ")),
        (true, true) => String::from("being deleted"),
    }
}

/// A status that is about an older generation says nothing.
fn unobserved(view: &View<'_>) -> Option<Status> {
    let generation = view.int(&["metadata", "generation"])?;
    let observed = view.int(&["status", "observedGeneration"])?;
    (generation != observed)
        .then(|| Status::InProgress(format!("generation {generation} is not observed yet, {observed} is")))
}

/// What controllers announce by the conditions that kstatus defines.
fn announced(view: &View<'_>) -> Option<Status> {
    view.conditions().filter(Condition::is_true).find_map(|condition| match condition.kind {
        "Reconciling" => Some(Status::InProgress(condition.words("reconciling"))),
        "Stalled" => Some(Status::Failed(condition.words("stalled"))),
        _ => None,
    })
}

/// Kinds without a rule: the condition Ready decides. Other conditions show that a controller has seen the
/// object and has nothing against it.
fn by_conditions(view: &View<'_>) -> Option<Status> {
    let Some(ready) = view.condition("Ready") else {
        return view.conditions().next().map(|_| Status::Current);
    };
    if ready.is_true() { Some(Status::Current) } else { Some(Status::InProgress(ready.words("not ready"))) }
}
