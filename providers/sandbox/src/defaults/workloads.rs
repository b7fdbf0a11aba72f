//! Workloads: Deployment, `StatefulSet`, `DaemonSet`, Job, `CronJob` and their like.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/>

use serde_json::{Map, Value, json};

use super::{pod, set};
use crate::meta;

type Spec = Map<String, Value>;

/// Fills in the defaults of a workload of this plural.
pub(super) fn apply(plural: &str, object: &mut Value) {
    if plural == "replicationcontrollers" {
        labels_of_template(object);
    }
    if plural == "daemonsets" {
        template_count(object);
    }
    let Some(spec) = meta::child(object, "spec") else { return };
    match plural {
        "deployments" => deployment(spec),
        "statefulsets" => stateful_set(spec),
        "daemonsets" => daemon_set(spec),
        "jobs" => job(spec),
        "cronjobs" => return cron_job(spec),
        "replicationcontrollers" => replication_controller(spec),
        _ => set(spec, "replicas", json!(1)),
    }
    // Only a ReplicationController may come without a template.
    if plural != "replicationcontrollers" {
        child(spec, "template");
    }
    pod::apply_template(spec);
}

fn deployment(spec: &mut Spec) {
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "progressDeadlineSeconds", json!(600));
    let Some(strategy) = child(spec, "strategy") else { return };
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let Some(rolling) = child(strategy, "rollingUpdate") else { return };
        set(rolling, "maxUnavailable", json!("25%"));
        set(rolling, "maxSurge", json!("25%"));
    }
}

fn stateful_set(spec: &mut Spec) {
    set(spec, "podManagementPolicy", json!("OrderedReady"));
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    if let Some(strategy) = child(spec, "updateStrategy") {
        set(strategy, "type", json!("RollingUpdate"));
        if strategy["type"] == "RollingUpdate"
            && let Some(rolling) = child(strategy, "rollingUpdate")
        {
            rolling.entry("partition").or_insert_with(|| json!(0));
        }
    }
    if let Some(retention) = child(spec, "persistentVolumeClaimRetentionPolicy") {
        set(retention, "whenDeleted", json!("Retain"));
        set(retention, "whenScaled", json!("Retain"));
    }
    for claim in spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
        meta::put(claim, "apiVersion", Some(json!("v1")));
        meta::put(claim, "kind", Some(json!("PersistentVolumeClaim")));
        if let Some(spec) = meta::child(claim, "spec") {
            set(spec, "volumeMode", json!("Filesystem"));
        }
        if let Some(status) = meta::child(claim, "status") {
            set(status, "phase", json!("Pending"));
        }
    }
}

fn daemon_set(spec: &mut Spec) {
    set(spec, "revisionHistoryLimit", json!(10));
    let Some(strategy) = child(spec, "updateStrategy") else { return };
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        let Some(rolling) = child(strategy, "rollingUpdate") else { return };
        set(rolling, "maxUnavailable", json!(1));
        set(rolling, "maxSurge", json!(0));
    }
}

fn job(spec: &mut Spec) {
    let is_unset = |spec: &Spec, field: &str| spec.get(field).is_none_or(Value::is_null);
    if is_unset(spec, "completions") && is_unset(spec, "parallelism") {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    let limit = if is_unset(spec, "backoffLimitPerIndex") { 6 } else { i32::MAX };
    set(spec, "backoffLimit", json!(limit));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    failure_conditions(spec);
    let policy = if is_unset(spec, "podFailurePolicy") { "TerminatingOrFailed" } else { "Failed" };
    set(spec, "podReplacementPolicy", json!(policy));
    set(spec, "manualSelector", json!(false));
}

/// Where a `DaemonSet` counts the templates it has had.
const TEMPLATES: &str = "deprecated.daemonset.template.generation";

fn template_count(object: &mut Value) {
    if let Some(metadata) = meta::child(object, "metadata") {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if annotations[TEMPLATES].is_null() {
            annotations[TEMPLATES] = json!("0");
        }
    }
}

// A rule on a condition of pods is for those that hold.
fn failure_conditions(spec: &mut Spec) {
    let rules = spec.get_mut("podFailurePolicy").and_then(|policy| policy["rules"].as_array_mut());
    for rule in rules.into_iter().flatten() {
        let conditions = rule.get_mut("onPodConditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
            set(condition, "status", json!("True"));
        }
    }
}

// A ReplicationController without labels takes those of its pods.
fn labels_of_template(object: &mut Value) {
    let labels = object["spec"]["template"]["metadata"]["labels"].clone();
    let has_own = object["metadata"]["labels"].as_object().is_some_and(|own| !own.is_empty());
    if labels.is_object() && !has_own {
        meta::set(object, "labels", labels);
    }
}

fn cron_job(spec: &mut Spec) {
    set(spec, "concurrencyPolicy", json!("Allow"));
    set(spec, "suspend", json!(false));
    set(spec, "successfulJobsHistoryLimit", json!(3));
    set(spec, "failedJobsHistoryLimit", json!(1));
    if let Some(spec) = spec.get_mut("jobTemplate").and_then(|template| meta::child(template, "spec")) {
        pod::apply_template(spec);
    }
}

fn replication_controller(spec: &mut Spec) {
    set(spec, "replicas", json!(1));
    let labels = spec.get("template").map(|template| template["metadata"]["labels"].clone());
    if let Some(labels) = labels.filter(Value::is_object) {
        set(spec, "selector", labels);
    }
}

fn child<'a>(spec: &'a mut Spec, key: &str) -> Option<&'a mut Spec> {
    let entry = spec.entry(key).or_insert(Value::Null);
    if entry.is_null() {
        *entry = json!({});
    }
    entry.as_object_mut()
}
