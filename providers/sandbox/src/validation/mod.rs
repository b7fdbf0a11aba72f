//! Rules that objects must keep.

mod checks;
mod config;
mod containers;
mod cron;
mod jobs;
mod limits;
mod names;
mod network;
mod others;
mod pods;
mod rbac;
mod scheduling;
mod services;
mod storage;
mod syntax;
mod volumes;
mod warnings;
mod workloads;

use serde_json::Value;

pub(crate) use names::{key_faults as label_key_faults, value_faults as label_value_faults};

pub(crate) use names::{check_metadata as metadata_errors, dns_label_fault, subdomain_fault};

use checks::Checks;
use rbac::Reach;

use crate::crd;
use crate::error::FieldError;
use crate::resource::Resource;

/// Every rule that a new object breaks.
pub(crate) fn of_new(resource: &Resource, object: &Value) -> Vec<FieldError> {
    let mut errors = names::check(resource, object);
    errors.extend(of_body(resource, object, None, ""));
    errors
}

/// Every rule that a change breaks.
pub(crate) fn of_update(
    resource: &Resource,
    live: &Value,
    object: &Value,
    subresource: &str,
) -> Vec<FieldError> {
    // kube-apiserver judges a change of metadata for all kinds, and then each kind judges it again.
    let of_metadata = names::check_change(live, object);
    let mut errors = names::check_metadata(object);
    errors.extend(of_metadata.clone());
    errors.extend(of_metadata);
    if subresource == "status" && resource.is("", "services") {
        errors.extend(services::status(object));
    }
    if subresource != "status" || resource.custom.is_some() {
        errors.extend(of_body(resource, object, Some(live), subresource));
    }
    errors
}

fn of_body(resource: &Resource, object: &Value, live: Option<&Value>, subresource: &str) -> Vec<FieldError> {
    if let Some(custom) = &resource.custom {
        return crd::validate(custom, object, live, subresource);
    }
    let mut errors = names::check_finalizer_domains(object);
    let of_kind = of_kind(resource, object, live);
    let of_change = live.map(|live| of_change(resource, live, object)).unwrap_or_default();
    let changes_first = resource.is("", "configmaps") || resource.is("", "secrets");
    let (first, second) = if changes_first { (of_change, of_kind) } else { (of_kind, of_change) };
    errors.extend(first.into_iter().chain(second));
    errors
}

fn of_kind(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    if resource.is("apiextensions.k8s.io", "customresourcedefinitions") {
        return crd::validate_definition(object, live);
    }
    Checks::run(|checks| check_kind(checks, resource, object, live))
}

fn check_kind(checks: &mut Checks, resource: &Resource, object: &Value, live: Option<&Value>) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "configmaps") => config::config_map(checks, object),
        ("", "events") => others::event(checks, object),
        ("", "limitranges") => limits::limit_range(checks, object),
        ("", "persistentvolumeclaims") => storage::check_claim(checks, &object["spec"], "spec"),
        ("", "persistentvolumes") => storage::volume(checks, object),
        ("", "pods") => pods::check_spec(checks, &object["spec"], "spec", &[]),
        ("", "podtemplates") => pods::check_template(checks, &object["template"], "template", &[]),
        ("", "resourcequotas") => limits::quota(checks, object),
        ("", "secrets") => config::secret(checks, object),
        ("", "services") => services::check(checks, object),
        ("apps", plural @ ("deployments" | "daemonsets" | "replicasets" | "statefulsets"))
        | ("", plural @ "replicationcontrollers") => workloads::check(checks, plural, object),
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations" | "validatingwebhookconfigurations",
        ) => {
            others::webhooks(checks, object);
        }
        ("autoscaling", "horizontalpodautoscalers") => limits::autoscaler(checks, object),
        ("batch", "jobs") => jobs::job(checks, object),
        ("batch", "cronjobs") => jobs::cron_job(checks, object, live),
        ("certificates.k8s.io", "certificatesigningrequests") => others::signing_request(checks, object),
        ("coordination.k8s.io", "leases") => others::lease(checks, object),
        ("discovery.k8s.io", "endpointslices") => network::endpoint_slice(checks, object, live),
        ("networking.k8s.io", "ingressclasses") => network::ingress_class(checks, object, live),
        ("networking.k8s.io", "ingresses") => network::ingress(checks, object),
        ("networking.k8s.io", "networkpolicies") => network::policy(checks, object),
        ("node.k8s.io", "runtimeclasses") => others::runtime_class(checks, object, live),
        ("policy", "poddisruptionbudgets") => limits::disruption_budget(checks, object),
        ("rbac.authorization.k8s.io", "roles") => rbac::role(checks, object, Reach::Namespace),
        ("rbac.authorization.k8s.io", "clusterroles") => rbac::role(checks, object, Reach::Cluster),
        ("rbac.authorization.k8s.io", "rolebindings") => rbac::binding(checks, object, Reach::Namespace),
        ("rbac.authorization.k8s.io", "clusterrolebindings") => rbac::binding(checks, object, Reach::Cluster),
        ("scheduling.k8s.io", "priorityclasses") => others::priority_class(checks, object),
        ("storage.k8s.io", "storageclasses") => storage::class(checks, object),
        _ => {}
    }
}

fn of_change(resource: &Resource, live: &Value, object: &Value) -> Vec<FieldError> {
    Checks::run(|checks| match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "configmaps" | "secrets") => config::check_unchanged(checks, live, object),
        ("", "persistentvolumeclaims") => storage::claim_unchanged(checks, live, object),
        ("", "persistentvolumes") => storage::volume_unchanged(checks, live, object),
        ("", "pods") => pods::check_unchanged(checks, live, object),
        ("", "resourcequotas") => limits::quota_unchanged(checks, live, object),
        ("", "services") => services::check_unchanged(checks, live, object),
        ("batch", "jobs") => jobs::job_unchanged(checks, live, object),
        ("apps", plural) => workloads::check_unchanged(checks, plural, live, object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            rbac::binding_unchanged(checks, live, object);
        }
        ("scheduling.k8s.io", "priorityclasses") => others::priority_class_unchanged(checks, live, object),
        ("storage.k8s.io", "storageclasses") => storage::class_unchanged(checks, live, object),
        _ => {}
    })
}

/// What the writer of a valid object should still be told; `live` is what was there.
pub(crate) fn warnings(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<String> {
    if resource.is("apiextensions.k8s.io", "customresourcedefinitions") {
        return crd::warnings(object);
    }
    match &resource.custom {
        Some(custom) => crd::warnings_of(custom, object, live),
        None => warnings::of(resource, object, live),
    }
}
