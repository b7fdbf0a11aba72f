//! `LimitRanges`: defaults and bounds of containers, pods and claims.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/policy/limit-range/>

use engine_kinds::Quantity;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::resource::Resource;

fn items(cluster: &Cluster, namespace: &str, kind: &str) -> Vec<Value> {
    let ranges = cluster.store.list(&GroupResource::new("", "limitranges"), namespace);
    let items = ranges.flat_map(|range| meta::items(&range["spec"]["limits"]).iter());
    items.filter(|item| item["type"] == kind).cloned().collect()
}

/// Gives the containers of a new pod the requests and limits of their namespace.
pub(super) fn apply_defaults(cluster: &Cluster, resource: &Resource, object: &mut Value) {
    if !resource.is("", "pods") {
        return;
    }
    let mut notes = Vec::new();
    for item in items(cluster, meta::namespace(object), "Container") {
        for (list, noun) in [("containers", "container"), ("initContainers", "init container")] {
            let containers = object["spec"].get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                notes.extend(fill(container, noun, &item));
            }
        }
    }
    if !notes.is_empty() {
        let note = json!(format!("LimitRanger plugin set: {}", notes.join("; ")));
        let mut annotations = object["metadata"]["annotations"].clone();
        if annotations.is_null() {
            annotations = json!({});
        }
        annotations["kubernetes.io/limit-ranger"] = note;
        meta::set(object, "annotations", annotations);
    }
}

fn fill(container: &mut Value, noun: &str, item: &Value) -> Vec<String> {
    let name = container["name"].as_str().unwrap_or_default().to_owned();
    let mut notes = Vec::new();
    for (field, source, word) in [("requests", "defaultRequest", "request"), ("limits", "default", "limit")] {
        let mut set = Vec::new();
        for (resource, amount) in item[source].as_object().into_iter().flatten() {
            if container["resources"][field].get(resource).is_none() {
                let Some(resources) = meta::child(container, "resources") else { continue };
                let entry = resources.entry(field).or_insert_with(|| json!({}));
                entry[resource] = amount.clone();
                set.push(resource.as_str());
            }
        }
        if !set.is_empty() {
            notes.push(format!("{} {word} for {noun} {name}", set.join(", ")));
        }
    }
    notes
}

/// Refuses a new object outside the bounds of its namespace.
///
/// # Errors
/// 403 then, with every bound it breaks.
pub(super) fn check(cluster: &Cluster, resource: &Resource, object: &Value) -> ApiResult<()> {
    let namespace = meta::namespace(object);
    let mut faults = Vec::new();
    if resource.is("", "pods") {
        for item in items(cluster, namespace, "Container") {
            for container in meta::items(&object["spec"]["containers"]) {
                faults.extend(outside(&item, "Container", &container["resources"]));
            }
        }
        for item in items(cluster, namespace, "Pod") {
            faults.extend(outside(&item, "Pod", &sum_of(object)));
        }
    } else if resource.is("", "persistentvolumeclaims") {
        for item in items(cluster, namespace, "PersistentVolumeClaim") {
            let requests = &object["spec"]["resources"]["requests"];
            faults.extend(outside(
                &item,
                "PersistentVolumeClaim",
                &json!({ "requests": requests, "limits": requests }),
            ));
        }
    }
    let why = match faults.as_slice() {
        [] => return Ok(()),
        [only] => only.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    Err(ApiError::forbidden(&resource.group_resource(), meta::name(object), why))
}

fn sum_of(pod: &Value) -> Value {
    let mut sum = json!({ "requests": {}, "limits": {} });
    for container in meta::items(&pod["spec"]["containers"]) {
        for field in ["requests", "limits"] {
            for (name, value) in container["resources"][field].as_object().into_iter().flatten() {
                let total = amount(&sum[field][name]).unwrap_or(Quantity::ZERO);
                let more = amount(value).and_then(|value| total.checked_add(value));
                sum[field][name] = json!(more.unwrap_or(total).to_string());
            }
        }
    }
    sum
}

fn amount(value: &Value) -> Option<Quantity> {
    value.as_str().and_then(|text| text.parse().ok())
}

fn outside(item: &Value, noun: &str, resources: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, least) in item["min"].as_object().into_iter().flatten() {
        let found = amount(&resources["requests"][name]);
        match (found, amount(least)) {
            (None, Some(least)) => {
                faults.push(format!("minimum {name} usage per {noun} is {least}.  No request is specified"));
            }
            (Some(found), Some(least)) if found < least => {
                faults.push(format!("minimum {name} usage per {noun} is {least}, but request is {found}"));
            }
            _ => {}
        }
    }
    for (name, most) in item["max"].as_object().into_iter().flatten() {
        let found = amount(&resources["limits"][name]);
        match (found, amount(most)) {
            (None, Some(most)) => {
                faults.push(format!("maximum {name} usage per {noun} is {most}.  No limit is specified"));
            }
            (Some(found), Some(most)) if found > most => {
                faults.push(format!("maximum {name} usage per {noun} is {most}, but limit is {found}"));
            }
            _ => {}
        }
    }
    faults
}
