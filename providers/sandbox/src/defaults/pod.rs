//! Pods and the templates of workloads.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use serde_json::{Map, Value, json};

use super::set;
use crate::meta;

/// Mode of files in volumes, 0644.
const FILE_MODE: i64 = 420;

/// Fills in the defaults of a Pod.
pub(super) fn apply(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    set(spec, "enableServiceLinks", json!(true));
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            requests_from_limits(container);
        }
    }
    if spec.get("hostNetwork").is_some_and(|value| value == true) {
        host_ports(spec);
    }
    apply_spec(spec);
}

// On the network of its node, a container's port is the node's.
fn host_ports(spec: &mut Map<String, Value>) {
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                if port["hostPort"].as_i64().unwrap_or(0) == 0 {
                    port["hostPort"] = port["containerPort"].clone();
                }
            }
        }
    }
}

/// A pod that leaves no time for its end gets a second.
pub(super) fn settle_grace(pod: &mut Value) {
    let grace = &mut pod["spec"]["terminationGracePeriodSeconds"];
    if grace.as_i64().is_some_and(|seconds| seconds < 0) {
        *grace = json!(1);
    }
}

/// Fills in the defaults of the template in `/template` of a workload's spec.
pub(super) fn apply_template(spec: &mut Map<String, Value>) {
    if let Some(spec) = spec.get_mut("template").and_then(|template| meta::child(template, "spec")) {
        apply_spec(spec);
    }
}

fn apply_spec(spec: &mut Map<String, Value>) {
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "schedulerName", json!("default-scheduler"));
    set(spec, "securityContext", json!({}));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    // The old name of the field is kept in step with the new one.
    let account =
        spec.get("serviceAccountName").or(spec.get("serviceAccount")).filter(|name| *name != "").cloned();
    if let Some(account) = account {
        set(spec, "serviceAccountName", account);
        let name = spec["serviceAccountName"].clone();
        spec.insert("serviceAccount".into(), name);
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            apply_container(container);
        }
    }
    for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        apply_volume(volume);
    }
}

fn requests_from_limits(container: &mut Value) {
    let limits = container["resources"]["limits"].as_object().cloned().unwrap_or_default();
    if limits.is_empty() {
        return;
    }
    let Some(resources) = meta::child(container, "resources") else { return };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    if requests.is_null() {
        *requests = json!({});
    }
    for (name, limit) in limits {
        if let Some(requests) = requests.as_object_mut() {
            requests.entry(name).or_insert(limit);
        }
    }
}

fn apply_container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default().to_owned();
    let Some(fields) = container.as_object_mut() else { return };
    set(fields, "imagePullPolicy", json!(pull_policy(&image)));
    set(fields, "terminationMessagePath", json!("/dev/termination-log"));
    set(fields, "terminationMessagePolicy", json!("File"));
    for port in fields.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            set(port, "protocol", json!("TCP"));
        }
    }
    for variable in fields.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        apply_variable(variable);
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = fields.get_mut(probe).and_then(Value::as_object_mut) {
            apply_probe(probe);
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(hook) = fields.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(hook)) {
            apply_http(hook);
        }
    }
}

/// An image without a tag, or with `latest`, is always pulled.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting>
fn pull_policy(image: &str) -> &'static str {
    let (tagged, has_digest) = image.split_once('@').map_or((image, false), |(tagged, _)| (tagged, true));
    let last = tagged.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        None if has_digest => "IfNotPresent",
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn apply_variable(variable: &mut Value) {
    let Some(fields) = variable.as_object_mut() else { return };
    if fields.get("value").is_some_and(|value| value == "") {
        fields.remove("value");
    }
    let Some(source) = fields.get_mut("valueFrom") else { return };
    if let Some(field) = source.get_mut("fieldRef").and_then(Value::as_object_mut) {
        set(field, "apiVersion", json!("v1"));
    }
    if let Some(field) = source.get_mut("resourceFieldRef").and_then(Value::as_object_mut) {
        set(field, "divisor", json!("0"));
    }
}

fn apply_probe(probe: &mut Map<String, Value>) {
    for (field, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        if probe.get(field).is_none_or(|found| found.is_null() || *found == json!(0)) {
            probe.insert(field.into(), json!(value));
        }
    }
    if let Some(http) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        set(http, "path", json!("/"));
        set(http, "scheme", json!("HTTP"));
    }
    if let Some(grpc) = probe.get_mut("grpc").and_then(Value::as_object_mut) {
        grpc.entry("service").or_insert_with(|| json!(""));
    }
}

fn apply_http(hook: &mut Value) {
    if let Some(http) = hook.get_mut("httpGet").and_then(Value::as_object_mut) {
        set(http, "path", json!("/"));
        set(http, "scheme", json!("HTTP"));
    }
}

fn apply_volume(volume: &mut Value) {
    let Some(fields) = volume.as_object_mut() else { return };
    if fields.keys().all(|key| key == "name") {
        fields.insert("emptyDir".into(), json!({}));
    }
    for kind in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = fields.get_mut(kind).and_then(Value::as_object_mut) {
            set(source, "defaultMode", json!(FILE_MODE));
        }
    }
    host_path_type(fields);
    let projected = fields.get_mut("projected").and_then(|projected| projected["sources"].as_array_mut());
    for source in projected.into_iter().flatten() {
        if let Some(token) = source.get_mut("serviceAccountToken").and_then(Value::as_object_mut) {
            set(token, "expirationSeconds", json!(3600));
        }
        each_field_ref(source.get_mut("downwardAPI"));
    }
    each_field_ref(fields.get_mut("downwardAPI"));
    if let Some(template) =
        fields.get_mut("ephemeral").and_then(|source| source.get_mut("volumeClaimTemplate"))
        && let Some(spec) = meta::child(template, "spec")
    {
        set(spec, "volumeMode", json!("Filesystem"));
    }
}

/// A path on the node is of any type unless it says which.
pub(super) fn host_path_type(volume: &mut Map<String, Value>) {
    if let Some(path) = volume.get_mut("hostPath").and_then(Value::as_object_mut) {
        path.entry("type").or_insert_with(|| json!(""));
    }
}

fn each_field_ref(downward: Option<&mut Value>) {
    let items = downward.and_then(|downward| downward.get_mut("items")).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        if let Some(field) = item.get_mut("fieldRef").and_then(Value::as_object_mut) {
            set(field, "apiVersion", json!("v1"));
        }
    }
}
