//! Rules that objects must keep.

mod kinds;
mod names;
mod pods;
mod policy;
mod warnings;
mod workloads;

use serde_json::Value;

pub(crate) use names::{key_faults as label_key_faults, value_faults as label_value_faults};

pub(crate) use names::{check_metadata as metadata_errors, dns_label_fault, subdomain_fault};

use crate::crd;
use crate::error::FieldError;
use crate::meta;
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
        errors.extend(kinds::service_status(object));
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
    errors.extend(of_kind(resource, object, live));
    if let Some(live) = live {
        errors.extend(of_change(resource, live, object));
    }
    errors
}

fn of_kind(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "configmaps" | "secrets") => kinds::data_keys(object),
        ("", "events") => policy::event(object).into_iter().collect(),
        ("", "limitranges") => policy::limit_range(object),
        ("", "resourcequotas") => policy::quota(object),
        ("scheduling.k8s.io", "priorityclasses") => policy::priority_class(object).into_iter().collect(),
        ("", "persistentvolumeclaims") => kinds::claim(object),
        ("", "podtemplates") => pods::check(&object["template"]["spec"], "template.spec", &[]),
        ("", "pods") => pods::check(&object["spec"], "spec", &[]),
        ("", "services") => kinds::service(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::validate_definition(object, live),
        ("apps", plural @ ("deployments" | "daemonsets" | "replicasets" | "statefulsets"))
        | ("batch", plural @ ("jobs" | "cronjobs"))
        | ("", plural @ "replicationcontrollers") => workloads::check(plural, object),
        ("autoscaling", "horizontalpodautoscalers") => kinds::autoscaler(object),
        ("networking.k8s.io", "ingressclasses") => kinds::ingress_class(object),
        ("networking.k8s.io", "ingresses") => kinds::ingress(object),
        ("policy", "poddisruptionbudgets") => kinds::disruption_budget(object).into_iter().collect(),
        ("rbac.authorization.k8s.io", "rolebindings") => kinds::binding(object, false),
        ("rbac.authorization.k8s.io", "clusterrolebindings") => kinds::binding(object, true),
        ("storage.k8s.io", "storageclasses") => kinds::storage_class(object).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn of_change(resource: &Resource, live: &Value, object: &Value) -> Vec<FieldError> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "configmaps" | "secrets") => kinds::data_unchanged(live, object),
        ("", "persistentvolumeclaims") => kinds::claim_unchanged(live, object),
        ("", "pods") => kinds::pod_unchanged(live, object).into_iter().collect(),
        ("", "services") => kinds::service_unchanged(live, object).into_iter().collect(),
        ("apps" | "batch", plural) => workloads::check_unchanged(plural, live, object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            kinds::binding_unchanged(live, object).into_iter().collect()
        }
        ("", "resourcequotas") => policy::quota_unchanged(live, object).into_iter().collect(),
        ("scheduling.k8s.io", "priorityclasses") => kinds::priority_class_unchanged(live, object),
        ("storage.k8s.io", "storageclasses") => kinds::storage_class_unchanged(live, object),
        _ => Vec::new(),
    }
}

/// What a valid object should still be told that has changed. A pod template is looked at again only if its object has
/// a new generation.
pub(crate) fn warnings_of_change(resource: &Resource, live: &Value, object: &Value) -> Vec<String> {
    if let Some(custom) = &resource.custom {
        return crd::warnings_of(custom, object, Some(live));
    }
    let is_same = meta::generation(live) == meta::generation(object);
    let has_template =
        matches!(resource.group.as_str(), "" | "apps" | "batch") && !resource.is("", "services");
    if has_template && is_same { Vec::new() } else { warnings(resource, object) }
}

/// What an object that is valid should still be told.
pub(crate) fn warnings(resource: &Resource, object: &Value) -> Vec<String> {
    if let Some(custom) = &resource.custom {
        return crd::warnings_of(custom, object, None);
    }
    if resource.is("apiextensions.k8s.io", "customresourcedefinitions") {
        return crd::warnings(object);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "services") => warnings::of_service(object),
        ("", "pods") => warnings::of_pod(&object["spec"], "spec"),
        ("", "podtemplates") => warnings::of_pod(&object["template"]["spec"], "template.spec"),
        ("batch", "cronjobs") => warnings::of_pod(
            &object["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            "spec.jobTemplate.spec.template.spec",
        ),
        ("" | "apps" | "batch", _) => {
            warnings::of_pod(&object["spec"]["template"]["spec"], "spec.template.spec")
        }
        _ => Vec::new(),
    }
}
