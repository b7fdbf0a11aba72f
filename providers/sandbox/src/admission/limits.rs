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
            for list in ["containers", "initContainers"] {
                for container in meta::items(&object["spec"][list]) {
                    faults.extend(outside(&item, "Container", &container["resources"]));
                }
            }
        }
        for item in items(cluster, namespace, "Pod") {
            faults.extend(outside(&item, "Pod", &sum_of(object)));
        }
    } else if resource.is("", "persistentvolumeclaims") {
        for item in items(cluster, namespace, "PersistentVolumeClaim") {
            faults.extend(outside(&item, "PersistentVolumeClaim", &object["spec"]["resources"]));
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

// A claim has requests only.
fn outside(item: &Value, noun: &str, resources: &Value) -> Vec<String> {
    let stated = |field: &str, name: &str| amount(&resources[field][name]);
    let bounds = |field: &str| {
        let bounds = item[field].as_object().into_iter().flatten();
        bounds.filter_map(|(name, bound)| Some((name.clone(), amount(bound)?))).collect::<Vec<_>>()
    };
    let first = if noun == "PersistentVolumeClaim" { "request" } else { "limit" };
    let mut faults = Vec::new();
    for (name, least) in bounds("min") {
        let usage = format!("minimum {name} usage per {noun} is {least}");
        match (stated("requests", &name), stated("limits", &name)) {
            (None, _) => faults.push(format!("{usage}.  No request is specified")),
            (Some(found), _) if found < least => faults.push(format!("{usage}, but request is {found}")),
            (_, Some(found)) if found < least => faults.push(format!("{usage}, but limit is {found}")),
            _ => {}
        }
    }
    for (name, most) in bounds("max") {
        let usage = format!("maximum {name} usage per {noun} is {most}");
        let request = stated("requests", &name);
        let found = if first == "request" { request } else { stated("limits", &name) };
        match (found, request) {
            (None, _) => faults.push(format!("{usage}.  No {first} is specified")),
            (Some(found), _) if found > most => faults.push(format!("{usage}, but {first} is {found}")),
            (_, Some(found)) if found > most => faults.push(format!("{usage}, but request is {found}")),
            _ => {}
        }
    }
    for (name, most) in bounds("maxLimitRequestRatio") {
        let usage = format!("{name} max limit to request ratio per {noun} is {most}");
        let given = |field: &str| stated(field, &name).filter(|amount| !amount.is_zero());
        match (given("requests"), given("limits")) {
            (None, _) => faults.push(format!("{usage}, but no request is specified or request is 0")),
            (_, None) => faults.push(format!("{usage}, but no limit is specified or limit is 0")),
            (Some(request), Some(limit)) => {
                let ratio = number(limit) / number(request);
                if ratio > number(most) {
                    faults.push(format!("{usage}, but provided ratio is {ratio:.6}"));
                }
            }
        }
    }
    faults
}

// An amount as a number, near enough for ratios.
fn number(amount: Quantity) -> f64 {
    const UNITS: [(&str, f64); 16] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    let text = amount.to_string();
    let read = UNITS.iter().find_map(|(unit, factor)| {
        text.strip_suffix(unit)?.parse::<f64>().ok().map(|number| number * factor)
    });
    read.unwrap_or(0.0)
}
