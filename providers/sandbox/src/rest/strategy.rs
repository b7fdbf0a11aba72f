//! What the server itself writes into objects, and what it does not let clients write.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/>

use serde_json::{Value, json};

use super::Writing;
use crate::cluster::Cluster;
use crate::defaults;
use crate::merge::Writer;
use crate::meta;
use crate::resource::Resource;

/// Metadata that a new object gets from the server only.
const SYSTEM_FIELDS: [&str; 4] =
    ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

/// Metadata that an update cannot change. To set the times of a deletion that was not asked for is an error.
const KEPT_FIELDS: [&str; 3] = ["creationTimestamp", "generation", "selfLink"];

/// How many pod templates a `DaemonSet` has had.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Built-in resources that count changes of their spec in `metadata.generation`.
const COUNTED: [(&str, &str); 26] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("discovery.k8s.io", "endpointslices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("resource.k8s.io", "deviceclasses"),
    ("resource.k8s.io", "resourceslices"),
    ("scheduling.k8s.io", "priorityclasses"),
];

/// The field manager of a write.
pub(super) fn writer<'a>(resource: &'a Resource, writing: &'a Writing<'_>, time: &'a str) -> Writer<'a> {
    let resets: &[&str] = match writing.subresource {
        "status" if resource.custom.is_some() => &["metadata", "spec"],
        "status" => &["spec"],
        "" | "finalize" if resource.has("status") => &["status"],
        _ => &[],
    };
    let manager = &writing.options.manager;
    Writer { manager, api_version: &resource.api_version, subresource: writing.subresource, time, resets }
}

fn is_counted(resource: &Resource) -> bool {
    resource.custom.is_some() || COUNTED.contains(&(resource.group.as_str(), resource.plural.as_str()))
}

/// Fills in what a new object gets from the server.
pub(super) fn prepare_new(cluster: &Cluster, resource: &Resource, object: &mut Value) {
    for field in SYSTEM_FIELDS {
        meta::set(object, field, Value::Null);
    }
    meta::set(object, "uid", json!(uuid::Uuid::new_v4().to_string()));
    meta::set(object, "creationTimestamp", json!(meta::now()));
    // Where nothing counts, what the client says stays.
    if is_counted(resource) {
        meta::set(object, "generation", json!(1));
    }
    if resource.has("status") {
        meta::put(object, "status", defaults::first_status(resource, object));
    }
    if resource.is("", "namespaces") {
        // Its name was perhaps not known when it was defaulted.
        defaults::label_namespace(object);
    }
    defaults::allocate(cluster, resource, None, object);
    trim(resource, object);
    count_templates(resource, None, object);
}

// An account keeps of its secrets the names only.
fn trim(resource: &Resource, object: &mut Value) {
    if resource.is("", "serviceaccounts") {
        for secret in object.get_mut("secrets").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(fields) = secret.as_object_mut() {
                fields.retain(|name, _| name == "name");
            }
        }
    }
}

/// Restores in `object` what clients cannot change, except uid and resourceVersion, whose change is an error.
pub(super) fn keep_system_fields(live: &Value, object: &mut Value) {
    for field in KEPT_FIELDS {
        meta::set(object, field, live["metadata"][field].clone());
    }
    if meta::is_terminating(live) {
        meta::set(object, "deletionTimestamp", live["metadata"]["deletionTimestamp"].clone());
    }
    if object["metadata"]["deletionGracePeriodSeconds"].is_null() {
        let grace = live["metadata"]["deletionGracePeriodSeconds"].clone();
        meta::set(object, "deletionGracePeriodSeconds", grace);
    }
    for field in ["uid", "name", "namespace"] {
        if meta::text(object, field).is_empty() {
            meta::set(object, field, live["metadata"][field].clone());
        }
    }
}

/// Fills in what an object gets from the server when it changes, and restores what this endpoint does not write.
pub(super) fn prepare_update(
    cluster: &Cluster,
    resource: &Resource,
    live: &Value,
    object: &mut Value,
    subresource: &str,
) {
    keep_system_fields(live, object);
    match subresource {
        "status" => restore_all_but_status(resource, live, object),
        _ if resource.has("status") => meta::put(object, "status", live.get("status").cloned()),
        _ => {}
    }
    if resource.is("", "namespaces") && subresource.is_empty() {
        meta::put(object, "spec", live.get("spec").cloned());
    }
    defaults::allocate(cluster, resource, Some(live), object);
    trim(resource, object);
    count_templates(resource, Some(live), object);
    // A priority class has the generation that it began with.
    let counts = is_counted(resource) && !resource.is("scheduling.k8s.io", "priorityclasses");
    if subresource != "status" && counts && has_new_generation(resource, live, object) {
        meta::set(object, "generation", json!(meta::generation(live) + 1));
    }
}

/// Counts the pod templates that a `DaemonSet` has had, which clients cannot change.
///
/// # Source
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#deprecated-daemonset-template-generation>
fn count_templates(resource: &Resource, live: Option<&Value>, object: &mut Value) {
    if !resource.is("apps", "daemonsets") {
        return;
    }
    let counted = |object: &Value| meta::annotation(object, TEMPLATE_GENERATION)?.parse::<i64>().ok();
    let number = match live {
        None => counted(object).unwrap_or(1).max(1),
        Some(live) => {
            let is_new = live["spec"]["template"] != object["spec"]["template"];
            counted(live).unwrap_or(1) + i64::from(is_new)
        }
    };
    object["metadata"]["annotations"][TEMPLATE_GENERATION] = json!(number.to_string());
}

// The status endpoint of built-in kinds lets labels and annotations through; that of Deployments annotations only.
fn restore_all_but_status(resource: &Resource, live: &Value, object: &mut Value) {
    let status = object.get("status").cloned();
    let metadata = object["metadata"].clone();
    *object = live.clone();
    meta::put(object, "status", status);
    let passed: &[&str] = match resource.custom {
        Some(_) => &["managedFields"],
        None if resource.plural == "deployments" => &["managedFields", "annotations"],
        None => &["managedFields", "annotations", "labels"],
    };
    for field in passed {
        meta::set(object, field, metadata[*field].clone());
    }
}

// A Deployment's annotations count too, since they may ask for a rollout, and the labels of an EndpointSlice, which name
// its Service.
fn has_new_generation(resource: &Resource, live: &Value, object: &Value) -> bool {
    let body = |value: &Value| {
        let mut value = value.clone();
        meta::take(&mut value, "metadata");
        if resource.has("status") {
            meta::take(&mut value, "status");
        }
        value
    };
    let differs = |field: &str| live["metadata"][field] != object["metadata"][field];
    // A priority class has nothing to observe: what may change of it is text.
    !resource.is("scheduling.k8s.io", "priorityclasses")
        && (body(live) != body(object)
            || (resource.is("apps", "deployments") && differs("annotations"))
            || (resource.is("discovery.k8s.io", "endpointslices") && differs("labels")))
}
