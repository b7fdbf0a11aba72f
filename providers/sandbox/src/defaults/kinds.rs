//! The kinds with a handful of defaults each.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/>, the page of each kind.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{pod, set, webhooks};
use crate::meta;

const RBAC: &str = "rbac.authorization.k8s.io";

/// A Namespace carries its name as a label.
pub(crate) fn namespace(object: &mut Value) {
    let name = meta::name(object).to_owned();
    let Some(metadata) = meta::child(object, "metadata").filter(|_| !name.is_empty()) else { return };
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".into(), json!(name));
    }
}

/// What a namespace gets when it is stored: its label even if its name was drawn, and the finalizer that empties it.
pub(super) fn complete_namespace(object: &mut Value, is_new: bool) {
    namespace(object);
    let Some(spec) = meta::child(object, "spec").filter(|_| is_new) else { return };
    let finalizers = spec.entry("finalizers").or_insert(Value::Null);
    if finalizers.is_null() {
        *finalizers = json!([]);
    }
    if let Some(list) = finalizers.as_array_mut().filter(|list| !list.contains(&json!("kubernetes"))) {
        list.push(json!("kubernetes"));
    }
}

/// The old name for a node's range of addresses is kept in step with the new one.
pub(super) fn node(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    if let Some(range) = spec.get("podCIDR").filter(|range| *range != "").cloned() {
        spec.entry("podCIDRs").or_insert_with(|| json!([range]));
    }
}

/// A claim's two fields for what it starts from are kept in step.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#volume-populators-and-data-sources>
pub(super) fn data_sources(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    let group = |source: &Value| source["apiGroup"].as_str().unwrap_or_default().to_owned();
    let is_known = |source: &Value| match source["kind"].as_str() {
        Some("PersistentVolumeClaim") => group(source).is_empty(),
        Some("VolumeSnapshot") => group(source) == "snapshot.storage.k8s.io",
        _ => false,
    };
    match (spec.get("dataSource").cloned(), spec.get("dataSourceRef").cloned()) {
        (Some(source), None) if is_known(&source) => {
            spec.insert("dataSourceRef".into(), source);
        }
        (Some(_), None) => drop(spec.remove("dataSource")),
        (None, Some(source)) if source.get("namespace").is_none() => {
            spec.insert("dataSource".into(), source);
        }
        _ => {}
    }
}

/// A Secret has a type, and `stringData` is a way to write `data`.
pub(super) fn secret(object: &mut Value) {
    let texts = meta::take(object, "stringData");
    let Some(fields) = object.as_object_mut() else { return };
    set(fields, "type", json!("Opaque"));
    for (key, text) in texts.iter().filter_map(Value::as_object).flatten() {
        let encoded = STANDARD.encode(text.as_str().unwrap_or_default());
        if let Some(data) = meta::child(object, "data") {
            data.insert(key.clone(), json!(encoded));
        }
    }
}

pub(super) fn claim(object: &mut Value) {
    if let Some(spec) = meta::child(object, "spec") {
        set(spec, "volumeMode", json!("Filesystem"));
    }
    if let Some(status) = meta::child(object, "status") {
        set(status, "phase", json!("Pending"));
    }
}

pub(super) fn volume(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    set(spec, "persistentVolumeReclaimPolicy", json!("Retain"));
    set(spec, "volumeMode", json!("Filesystem"));
    pod::host_path_type(spec);
}

pub(super) fn storage_class(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    set(fields, "reclaimPolicy", json!("Delete"));
    set(fields, "volumeBindingMode", json!("Immediate"));
}

pub(super) fn priority_class(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        set(fields, "preemptionPolicy", json!("PreemptLowerPriority"));
    }
}

pub(super) fn network_policy(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    if spec.get("policyTypes").is_none_or(|types| meta::items(types).is_empty()) {
        let has_egress = spec.get("egress").is_some_and(|egress| !meta::items(egress).is_empty());
        let types = if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
        spec.insert("policyTypes".into(), types);
    }
    for direction in ["ingress", "egress"] {
        for rule in spec.get_mut(direction).and_then(Value::as_array_mut).into_iter().flatten() {
            each_port(rule);
        }
    }
}

/// Ports without a protocol speak TCP.
pub(super) fn each_port(object: &mut Value) {
    for port in object.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            set(port, "protocol", json!("TCP"));
        }
    }
}

pub(super) fn endpoints(object: &mut Value) {
    for subset in object.get_mut("subsets").and_then(Value::as_array_mut).into_iter().flatten() {
        each_port(subset);
    }
}

pub(super) fn endpoint_slice(object: &mut Value) {
    each_port(object);
    for port in object.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            port.entry("name").or_insert_with(|| json!(""));
        }
    }
}

pub(super) fn role_binding(object: &mut Value) {
    if let Some(role) = meta::child(object, "roleRef") {
        set(role, "apiGroup", json!(RBAC));
    }
    for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_account = subject["kind"] == "ServiceAccount";
        if let Some(subject) = subject.as_object_mut().filter(|_| !is_account) {
            set(subject, "apiGroup", json!(RBAC));
        }
        if is_account && subject["apiGroup"] == "" {
            meta::take(subject, "apiGroup");
        }
    }
}

pub(super) fn autoscaler(object: &mut Value) {
    let is_v2 = object["apiVersion"] == "autoscaling/v2";
    let Some(spec) = meta::child(object, "spec") else { return };
    set(spec, "minReplicas", json!(1));
    if is_v2 && spec.get("metrics").is_none_or(|metrics| meta::items(metrics).is_empty()) {
        let target = json!({ "type": "Utilization", "averageUtilization": 80 });
        let metric = json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } });
        spec.insert("metrics".into(), json!([metric]));
    }
    let Some(behavior) = spec.get_mut("behavior").and_then(Value::as_object_mut) else { return };
    let percent = json!({ "type": "Percent", "value": 100, "periodSeconds": 15 });
    let pods = json!({ "type": "Pods", "value": 4, "periodSeconds": 15 });
    for (direction, policies) in [("scaleUp", json!([pods, percent])), ("scaleDown", json!([percent]))] {
        let rules = behavior.entry(direction).or_insert_with(|| json!({}));
        let Some(rules) = rules.as_object_mut() else { continue };
        set(rules, "selectPolicy", json!("Max"));
        set(rules, "policies", policies);
        if direction == "scaleUp" {
            rules.entry("stabilizationWindowSeconds").or_insert_with(|| json!(0));
        }
    }
}

/// Each bound of a `LimitRange` that is left out follows from another.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/policy/limit-range/>
pub(super) fn limit_range(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    for item in spec.get_mut("limits").and_then(Value::as_array_mut).into_iter().flatten() {
        if item["type"] != "Container" {
            continue;
        }
        for (field, source) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")]
        {
            let values = item[source].as_object().cloned().unwrap_or_default();
            let Some(target) = meta::child(item, field) else { continue };
            for (name, value) in values {
                target.entry(name).or_insert(value);
            }
        }
    }
}

pub(super) fn api_service(object: &mut Value) {
    webhooks::service_port(object.get_mut("spec"));
}

pub(super) fn csi_driver(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    let defaults: [(&str, Value); 7] = [
        ("attachRequired", json!(true)),
        ("fsGroupPolicy", json!("ReadWriteOnceWithFSType")),
        ("podInfoOnMount", json!(false)),
        ("requiresRepublish", json!(false)),
        ("seLinuxMount", json!(false)),
        ("storageCapacity", json!(false)),
        ("volumeLifecycleModes", json!(["Persistent"])),
    ];
    for (field, value) in defaults {
        set(spec, field, value);
    }
}

pub(super) fn ingress_class(object: &mut Value) {
    let parameters = object.get_mut("spec").and_then(|spec| spec.get_mut("parameters"));
    if let Some(parameters) = parameters.and_then(Value::as_object_mut) {
        set(parameters, "scope", json!("Cluster"));
    }
}

/// A request for devices asks for one of them unless it says how many.
pub(super) fn device_requests(claim: Option<&mut Value>) {
    let requests = claim.and_then(|claim| claim["devices"]["requests"].as_array_mut());
    for request in requests.into_iter().flatten() {
        let alternatives =
            request.get_mut("firstAvailable").and_then(Value::as_array_mut).into_iter().flatten();
        alternatives.filter_map(Value::as_object_mut).for_each(device_count);
        request.get_mut("exactly").and_then(Value::as_object_mut).into_iter().for_each(device_count);
    }
}

fn device_count(request: &mut Map<String, Value>) {
    set(request, "allocationMode", json!("ExactCount"));
    if request["allocationMode"] == "ExactCount" {
        request.entry("count").or_insert(json!(1));
    }
}

pub(super) fn priority_level(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    for (field, shares) in [("exempt", 0), ("limited", 30)] {
        if let Some(level) = spec.get_mut(field).and_then(Value::as_object_mut) {
            set(level, "nominalConcurrencyShares", json!(shares));
            set(level, "lendablePercent", json!(0));
        }
    }
    let queuing = spec.get_mut("limited").and_then(|limited| limited["limitResponse"].get_mut("queuing"));
    if let Some(queuing) = queuing.and_then(Value::as_object_mut) {
        for (field, value) in [("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)] {
            set(queuing, field, json!(value));
        }
    }
}

pub(super) fn flow_schema(object: &mut Value) {
    if let Some(spec) = meta::child(object, "spec") {
        set(spec, "matchingPrecedence", json!(1000));
    }
}
