//! Values that Kubernetes fills in: defaults of a kind, its first status, and what is allocated to it.

mod service;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::crd;
use crate::meta;
use crate::resource::Resource;

/// Fills in the defaults of the object's kind.
pub(crate) fn apply(resource: &Resource, object: &mut Value) {
    if let Some(custom) = &resource.custom {
        crd::apply_defaults(&custom.schema, object);
        return;
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") => namespace(object),
        ("", "services") => service::apply(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::default_definition(object),
        _ => {}
    }
}

fn namespace(object: &mut Value) {
    let name = meta::name(object).to_owned();
    let Some(metadata) = meta::child(object, "metadata").filter(|_| !name.is_empty()) else { return };
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".into(), json!(name));
    }
}

/// The status that a new object of the kind starts with, if it has one.
pub(crate) fn first_status(resource: &Resource, _object: &Value) -> Option<Value> {
    if resource.custom.is_some() {
        return None;
    }
    Some(match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") => json!({ "phase": "Active" }),
        ("", "pods" | "persistentvolumeclaims" | "persistentvolumes") => json!({ "phase": "Pending" }),
        _ => json!({}),
    })
}

/// Fills in what the server chooses for this one object, as addresses.
pub(crate) fn allocate(cluster: &Cluster, resource: &Resource, live: Option<&Value>, object: &mut Value) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.custom.is_some() => {}
        ("", "namespaces") if live.is_none() => object["spec"]["finalizers"] = json!(["kubernetes"]),
        ("", "services") => service::allocate(cluster, live, object),
        _ => {}
    }
}
