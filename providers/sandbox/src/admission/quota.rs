//! `ResourceQuotas`: what each object counts for, and what is left.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/policy/resource-quotas/>

use std::collections::{BTreeMap, BTreeSet};

use engine_kinds::Quantity;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::controllers;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::resource::Resource;
use crate::store::Key;

type Usage = BTreeMap<String, Quantity>;

/// Core resources that are counted under their plain name.
const COUNTED: [&str; 6] = [
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
];

fn quotas() -> GroupResource {
    GroupResource::new("", "resourcequotas")
}

/// Refuses an object that would use more than a quota leaves; `live` is its present state, if any.
///
/// # Errors
/// 403 in Kubernetes' words then.
pub(super) fn check(
    cluster: &Cluster,
    resource: &Resource,
    live: Option<&Value>,
    object: &Value,
) -> ApiResult<()> {
    if !resource.is_namespaced() {
        return Ok(());
    }
    let target = resource.group_resource();
    let forbid = |why| Err(ApiError::forbidden(&target, meta::name(object), why));
    for quota in cluster.store.list(&quotas(), meta::namespace(object)) {
        if !covers(quota, &target, object) {
            continue;
        }
        let hard = hard_of(quota);
        let name = meta::name(quota);
        if live.is_none()
            && resource.is("", "pods")
            && let Some(missing) = unstated(&hard, object)
        {
            return forbid(format!("failed quota: {name}: must specify {missing}"));
        }
        let before = live.map(|live| usage(&target, live)).unwrap_or_default();
        let mut requested = usage(&target, object);
        requested.retain(|key, amount| {
            let old = before.get(key).copied().unwrap_or(Quantity::ZERO);
            *amount = amount.checked_sub(old).unwrap_or(*amount);
            hard.contains_key(key) && *amount > Quantity::ZERO
        });
        let used = used_of(cluster, quota, &hard);
        let exceeded: Vec<&String> = requested
            .iter()
            .filter(|(key, amount)| used[*key].checked_add(**amount).is_none_or(|total| total > hard[*key]))
            .map(|(key, _)| key)
            .collect();
        if !exceeded.is_empty() {
            let show = |amounts: &Usage| {
                exceeded.iter().map(|key| format!("{key}={}", amounts[*key])).collect::<Vec<_>>().join(",")
            };
            return forbid(format!(
                "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
                show(&requested),
                show(&used),
                show(&hard)
            ));
        }
    }
    Ok(())
}

fn hard_of(quota: &Value) -> Usage {
    let hard = quota["spec"]["hard"].as_object().into_iter().flatten();
    hard.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.parse().ok()?))).collect()
}

// A quota on an amount makes stating it an obligation.
fn unstated(hard: &Usage, pod: &Value) -> Option<String> {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for key in hard.keys() {
        let (field, name) = match key.as_str() {
            "cpu" | "requests.cpu" => ("requests", "cpu"),
            "memory" | "requests.memory" => ("requests", "memory"),
            "limits.cpu" => ("limits", "cpu"),
            "limits.memory" => ("limits", "memory"),
            _ => continue,
        };
        for list in ["containers", "initContainers"] {
            for container in meta::items(&pod["spec"][list]) {
                if container["resources"][field][name].is_null() {
                    missing.entry(key).or_default().insert(container["name"].as_str().unwrap_or_default());
                }
            }
        }
    }
    let parts: Vec<_> = missing
        .into_iter()
        .map(|(key, names)| format!("{key} for: {}", names.into_iter().collect::<Vec<_>>().join(",")))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

// Scopes narrow a quota to some pods.
fn covers(quota: &Value, resource: &GroupResource, object: &Value) -> bool {
    let is_pod = resource.group.is_empty() && resource.resource == "pods";
    let has_deadline = object["spec"]["activeDeadlineSeconds"].is_i64();
    let is_best_effort = meta::items(&object["spec"]["containers"]).iter().all(|container| {
        ["requests", "limits"].iter().all(|field| {
            container["resources"][*field]
                .as_object()
                .is_none_or(|amounts| !amounts.contains_key("cpu") && !amounts.contains_key("memory"))
        })
    });
    let class = object["spec"]["priorityClassName"].as_str().unwrap_or_default();
    let selected =
        meta::items(&quota["spec"]["scopeSelector"]["matchExpressions"]).iter().all(|expression| {
            let values = meta::strings(&expression["values"]);
            match (expression["scopeName"].as_str(), expression["operator"].as_str()) {
                (Some("PriorityClass"), Some("In")) => is_pod && values.contains(&class),
                (Some("PriorityClass"), Some("NotIn")) => is_pod && !values.contains(&class),
                (Some("PriorityClass"), Some("Exists")) => is_pod && !class.is_empty(),
                (Some("PriorityClass"), _) => is_pod && class.is_empty(),
                _ => true,
            }
        });
    selected
        && meta::strings(&quota["spec"]["scopes"]).into_iter().all(|scope| match scope {
            "Terminating" => is_pod && has_deadline,
            "NotTerminating" => is_pod && !has_deadline,
            "BestEffort" => is_pod && is_best_effort,
            "NotBestEffort" => is_pod && !is_best_effort,
            _ => true,
        })
}

fn used_of(cluster: &Cluster, quota: &Value, hard: &Usage) -> Usage {
    let mut used: Usage = hard.keys().map(|key| (key.clone(), Quantity::ZERO)).collect();
    for resource in counted_resources(hard) {
        for object in cluster.store.list(&resource, meta::namespace(quota)) {
            if !covers(quota, &resource, object) {
                continue;
            }
            for (key, amount) in usage(&resource, object) {
                if let Some(total) = used.get_mut(&key) {
                    *total = total.checked_add(amount).unwrap_or(*total);
                }
            }
        }
    }
    used
}

fn counted_resources(hard: &Usage) -> BTreeSet<GroupResource> {
    let resource_of = |key: &String| match key.strip_prefix("count/") {
        Some(counted) => {
            let (resource, group) = counted.split_once('.').unwrap_or((counted, ""));
            GroupResource::new(group, resource)
        }
        None if COUNTED.contains(&key.as_str()) => GroupResource::new("", key),
        None if key.starts_with("services.") => GroupResource::new("", "services"),
        None if key.contains("storageclass.storage.k8s.io/") || key == "requests.storage" => {
            GroupResource::new("", "persistentvolumeclaims")
        }
        None => GroupResource::new("", "pods"),
    };
    hard.keys().map(resource_of).collect()
}

// What one object counts for.
fn usage(resource: &GroupResource, object: &Value) -> Usage {
    let one = Quantity::from_count(1);
    let mut usage = Usage::from([(format!("count/{}", resource.qualified()), one)]);
    if !resource.group.is_empty() {
        return usage;
    }
    let spec = &object["spec"];
    match resource.resource.as_str() {
        "pods" => {
            if matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
                usage.clear();
                return usage;
            }
            usage.insert("pods".into(), one);
            add_amounts(&mut usage, spec);
        }
        "services" => {
            let ports = meta::items(&spec["ports"]).len();
            let kind = spec["type"].as_str().unwrap_or_default();
            if kind == "LoadBalancer" {
                usage.insert("services.loadbalancers".into(), one);
            }
            if matches!(kind, "NodePort" | "LoadBalancer") {
                let ports = i64::try_from(ports).unwrap_or(i64::MAX);
                usage.insert("services.nodeports".into(), Quantity::from_count(ports));
            }
            usage.insert("services".into(), one);
        }
        "persistentvolumeclaims" => {
            let storage =
                spec["resources"]["requests"]["storage"].as_str().and_then(|text| text.parse().ok());
            let storage = storage.unwrap_or(Quantity::ZERO);
            let class = spec["storageClassName"].as_str().unwrap_or_default();
            usage.insert("persistentvolumeclaims".into(), one);
            usage.insert("requests.storage".into(), storage);
            usage.insert(format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims"), one);
            usage.insert(format!("{class}.storageclass.storage.k8s.io/requests.storage"), storage);
        }
        counted if COUNTED.contains(&counted) => {
            usage.insert(counted.to_owned(), one);
        }
        _ => {}
    }
    usage
}

// A pod needs what its containers need together, or its neediest init container if that is more.
fn add_amounts(usage: &mut Usage, spec: &Value) {
    for field in ["requests", "limits"] {
        let mut totals = Usage::new();
        let amounts = |container: &Value| -> Usage {
            let amounts = container["resources"][field].as_object().into_iter().flatten();
            amounts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.parse().ok()?))).collect()
        };
        for container in meta::items(&spec["containers"]) {
            for (name, amount) in amounts(container) {
                let total = totals.entry(name).or_insert(Quantity::ZERO);
                *total = total.checked_add(amount).unwrap_or(*total);
            }
        }
        for container in meta::items(&spec["initContainers"]) {
            for (name, amount) in amounts(container) {
                let total = totals.entry(name).or_insert(Quantity::ZERO);
                *total = amount.max(*total);
            }
        }
        for (name, total) in totals {
            usage.insert(format!("{field}.{name}"), total);
            if field == "requests" {
                usage.insert(name, total);
            }
        }
    }
}

/// Recounts the quotas of a namespace into their status.
///
/// # Errors
/// If a status cannot be written.
pub(crate) fn refresh(cluster: &mut Cluster, namespace: &str) -> ApiResult<()> {
    let found: Vec<_> = cluster.store.list(&quotas(), namespace).cloned().collect();
    for quota in found {
        let hard = hard_of(&quota);
        let used = used_of(cluster, &quota, &hard);
        let show = |amounts: &Usage| -> Value {
            amounts.iter().map(|(key, amount)| (key.clone(), json!(amount.to_string()))).collect()
        };
        let status = json!({ "hard": show(&hard), "used": show(&used) });
        let key = Key::new(&quotas(), namespace, meta::name(&quota));
        controllers::set_status(cluster, &key, &status)?;
    }
    Ok(())
}
