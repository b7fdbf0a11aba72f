//! Pods: each is bound to the one node and runs at once, unless its template asks for trouble.
//!
//! The annotation `sandbox.terrane.dev/pods` on a pod template is for tests: `never-ready` keeps pods pending, `crash`
//! makes their containers fail again and again.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/>

use serde_json::{Value, json};

use super::act;
use crate::bootstrap::NODE;
use crate::cluster::Cluster;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::store::Key;

/// The annotation that asks for trouble.
const BEHAVIOR: &str = "sandbox.terrane.dev/pods";

/// How many pods one workload gets: a number of replicas far beyond any node must not fill the memory.
pub(super) const PODS_PER_WORKLOAD: i64 = 500;

/// How the pods of a template fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behavior {
    Run,
    NeverReady,
    Crash,
}

/// How a pod, or the pods of a template, will fare.
pub(super) fn behavior(object: &Value) -> Behavior {
    match meta::annotation(object, BEHAVIOR) {
        Some("never-ready") => Behavior::NeverReady,
        Some("crash") => Behavior::Crash,
        _ => Behavior::Run,
    }
}

/// Where pods are stored.
pub(super) fn resource() -> GroupResource {
    GroupResource::new("", "pods")
}

/// Bounds a number of replicas by what the sandbox runs.
pub(super) fn bounded(replicas: i64) -> i64 {
    replicas.clamp(0, PODS_PER_WORKLOAD)
}

/// Whether the pod is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    meta::items(&pod["status"]["conditions"])
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// The pods that an owner controls and that are not going away, by name.
pub(super) fn owned(cluster: &Cluster, owner: &Value) -> Vec<(Key, Value)> {
    let keys =
        cluster.store.dependents(meta::uid(owner)).into_iter().filter(|key| key.resource == resource());
    let objects = keys.filter_map(|key| {
        let pod = cluster.store.get(&key)?;
        let is_active = !meta::is_terminating(pod);
        is_active.then(|| (key, Value::clone(pod)))
    });
    objects.collect()
}

/// The pod of a template, for an owner; `name` may end in `-` to have one generated.
pub(super) fn from_template(owner: &Value, template: &Value, name: &str) -> Value {
    let mut metadata = json!({ "ownerReferences": [meta::owner_reference(owner)] });
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    metadata[if name.ends_with('-') { "generateName" } else { "name" }] = json!(name);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] })
}

/// Binds a pod to the node and gives it the status it will have.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(pod) = cluster.store.get(key).cloned() else { return Ok(()) };
    if pod["status"]["startTime"].is_string() || is_of_another_scheduler(&pod) {
        return Ok(());
    }
    if pod["spec"]["nodeName"].is_null() {
        // A binding is no update: no field manager owns the node.
        let mut bound = Value::clone(&pod);
        bound["spec"]["nodeName"] = json!(NODE);
        cluster.commit(key, bound)?;
    }
    let number = cluster.store.version();
    act::update_status_as(cluster, key, "kubelet", |pod| pod["status"] = status_of(pod, number))
}

/// There is only the default scheduler: a pod that asks for another stays pending.
///
/// # Source
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/configure-multiple-schedulers/>
fn is_of_another_scheduler(pod: &Value) -> bool {
    let is_bound = pod["spec"]["nodeName"].is_string();
    !is_bound && pod["spec"]["schedulerName"] != "default-scheduler"
}

fn status_of(pod: &Value, number: u64) -> Value {
    let now = meta::now();
    let is_job = matches!(pod["spec"]["restartPolicy"].as_str(), Some("Never" | "OnFailure"));
    let behavior = behavior(pod);
    let (phase, ready, reason) = match (behavior, is_job) {
        (Behavior::Run, false) => ("Running", true, ""),
        (Behavior::Run, true) => ("Succeeded", false, "PodCompleted"),
        (Behavior::NeverReady, _) => ("Pending", false, "ContainersNotReady"),
        (Behavior::Crash, false) => ("Running", false, "ContainersNotReady"),
        (Behavior::Crash, true) => ("Failed", false, "PodFailed"),
    };
    let condition = |kind: &str, holds: bool, reason: &str| {
        let status = if holds { "True" } else { "False" };
        let mut condition =
            json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": now });
        if !holds && !reason.is_empty() {
            condition["reason"] = json!(reason);
        }
        condition
    };
    let containers: Vec<_> = meta::items(&pod["spec"]["containers"])
        .iter()
        .map(|container| container_status(pod, container, phase, &now))
        .collect();
    let (third, fourth) = (number / 250 % 250, number % 250 + 1);
    let address = format!("10.244.{third}.{fourth}");
    json!({
        "phase": phase, "qosClass": pod["status"]["qosClass"], "startTime": now,
        "hostIP": "192.0.2.1", "hostIPs": [{ "ip": "192.0.2.1" }],
        "podIP": address, "podIPs": [{ "ip": address }],
        "conditions": [
            condition("PodReadyToStartContainers", behavior != Behavior::NeverReady && !is_job, ""),
            condition("Initialized", true, ""),
            condition("Ready", ready, reason),
            condition("ContainersReady", ready, reason),
            condition("PodScheduled", true, ""),
        ],
        "containerStatuses": containers,
    })
}

fn container_status(pod: &Value, container: &Value, phase: &str, now: &str) -> Value {
    let name = container["name"].as_str().unwrap_or_default();
    let ended = |code: i64, reason: &str| json!({ "terminated": { "exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now } });
    let (state, last, restarts) = match (phase, behavior(pod)) {
        ("Succeeded", _) => (ended(0, "Completed"), json!({}), 0),
        ("Failed", _) => (ended(1, "Error"), json!({}), 0),
        (_, Behavior::NeverReady) => (json!({ "waiting": { "reason": "ContainerCreating" } }), json!({}), 0),
        (_, Behavior::Crash) => {
            let message = format!(
                "back-off 5m0s restarting failed container={name} pod={}_{}({})",
                meta::name(pod),
                meta::namespace(pod),
                meta::uid(pod)
            );
            let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": message } });
            (waiting, ended(1, "Error"), 6)
        }
        _ => (json!({ "running": { "startedAt": now } }), json!({}), 0),
    };
    let runs = state.get("running").is_some();
    json!({
        "name": name, "image": container["image"], "imageID": "", "ready": runs, "started": runs,
        "restartCount": restarts, "state": state, "lastState": last,
    })
}
