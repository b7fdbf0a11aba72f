//! Rules of workloads that run without end.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/>

use engine_kinds::{IntOrString, Rounding};
use serde_json::{Map, Value, json};

use super::checks::{Checks, text};
use super::{pods, storage, syntax};
use crate::error::FieldError;
use crate::meta;
use crate::selector::Selector;

const MISMATCH: &str = "`selector` does not match template `labels`";

/// The rules of a workload of this plural.
pub(super) fn check(checks: &mut Checks, plural: &str, object: &Value) {
    let spec = &object["spec"];
    match plural {
        "statefulsets" => stateful_set(checks, spec),
        "daemonsets" => daemon_set(checks, spec),
        "replicationcontrollers" => replication_controller(checks, spec),
        _ => {
            checks.not_negative("spec.replicas", &spec["replicas"]);
            if plural == "replicasets" {
                checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
            }
            // ReplicaSets are checked by the code of Deployments.
            if selector(checks, "deployment", spec, "invalid label selector") {
                template(checks, spec, "ReplicaSet", &[]);
            }
            if plural == "deployments" {
                deployment(checks, spec);
            }
        }
    }
}

// The rules of the selector; says whether it can be used. Only a selector that is there and selects something is held
// against the template.
fn selector(checks: &mut Checks, noun: &str, spec: &Value, unusable: &str) -> bool {
    let selector = &spec["selector"];
    let found = Checks::run(|checks| checks.selector("spec.selector", selector));
    let is_usable = found.is_empty();
    if selector.is_null() {
        checks.required("spec.selector", "");
    }
    checks.extend(found);
    let parsed = Selector::of_object(selector);
    if selector.is_object() && parsed.is_empty() {
        let detail = format!("empty selector is invalid for {noun}");
        checks.invalid("spec.selector", selector, &detail);
    }
    if !is_usable {
        checks.invalid("spec.selector", selector, unusable);
        return false;
    }
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_default();
    let shown = if labels.is_null() { json!({}) } else { labels.clone() };
    // A selector that is missing selects nothing; an empty one is not held against the template.
    if selector.is_null() || (!parsed.is_empty() && !parsed.matches_labels(&shown)) {
        checks.invalid("spec.template.metadata.labels", &labels, MISMATCH);
    }
    true
}

fn template(checks: &mut Checks, spec: &Value, noun: &str, claims: &[Value]) {
    pods::check_template(checks, &spec["template"], "spec.template", claims);
    always_restarted(checks, spec, noun);
}

fn always_restarted(checks: &mut Checks, spec: &Value, noun: &str) {
    let pod = &spec["template"]["spec"];
    if text(&pod["restartPolicy"]) != "Always" {
        checks.unsupported(
            "spec.template.spec.restartPolicy",
            &json!(text(&pod["restartPolicy"])),
            &["Always"],
        );
    }
    if !pod["activeDeadlineSeconds"].is_null() {
        let detail = format!("activeDeadlineSeconds in {noun} is not Supported");
        checks.forbidden("spec.template.spec.activeDeadlineSeconds", &detail);
    }
}

fn deployment(checks: &mut Checks, spec: &Value) {
    let (strategy, at) = (&spec["strategy"], "spec.strategy");
    match text(&strategy["type"]) {
        "Recreate" if strategy["rollingUpdate"].is_object() => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            checks.forbidden("spec.strategy.rollingUpdate", detail);
        }
        "Recreate" => {}
        "RollingUpdate" => {
            let (rolling, at) = (&strategy["rollingUpdate"], "spec.strategy.rollingUpdate");
            let missing = format!("{at}.maxUnavailable");
            checks.count_or_percent(&missing, &rolling["maxUnavailable"]);
            checks.count_or_percent(&format!("{at}.maxSurge"), &rolling["maxSurge"]);
            if count(&rolling["maxUnavailable"]) == 0 && count(&rolling["maxSurge"]) == 0 {
                checks.invalid(&missing, &rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0");
            }
            checks.not_beyond_whole(&missing, &rolling["maxUnavailable"]);
        }
        kind => unknown_strategy(checks, at, kind, &["Recreate", "RollingUpdate"]),
    }
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    checks.not_negative("spec.revisionHistoryLimit", &spec["revisionHistoryLimit"]);
    let deadline = &spec["progressDeadlineSeconds"];
    checks.not_negative("spec.progressDeadlineSeconds", deadline);
    if deadline.as_i64().is_some_and(|seconds| seconds <= spec["minReadySeconds"].as_i64().unwrap_or(0)) {
        checks.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
    }
}

fn count(value: &Value) -> i64 {
    let parsed: Option<IntOrString> = serde_json::from_value(value.clone()).ok();
    parsed.and_then(|value| value.of_total(100, Rounding::Up)).unwrap_or(0)
}

// The strategy as Kubernetes' internal type shows it.
fn internal_strategy(kind: &str) -> String {
    format!("{{\"Type\":{kind:?},\"RollingUpdate\":null}}")
}

fn unknown_strategy(checks: &mut Checks, at: &str, kind: &str, known: &[&str]) {
    let list: Vec<_> = known.iter().map(|name| format!("{name:?}")).collect();
    let detail = format!("supported values: {}", list.join(", "));
    checks.push(FieldError::unsupported_as(at, &internal_strategy(kind), &detail));
}

fn stateful_set(checks: &mut Checks, spec: &Value) {
    let policy = &spec["podManagementPolicy"];
    if !["OrderedReady", "Parallel"].contains(&text(policy)) {
        checks.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
    }
    let strategy = &spec["updateStrategy"];
    let rolling = &strategy["rollingUpdate"];
    match text(&strategy["type"]) {
        "OnDelete" if rolling.is_object() => {
            let shown = format!(
                "{{\"Partition\":{},\"MaxUnavailable\":{}}}",
                rolling["partition"].as_i64().unwrap_or(0),
                rolling["maxUnavailable"]
            );
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            checks.push(FieldError::invalid_as("spec.updateStrategy.rollingUpdate", &shown, detail));
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            checks.not_negative("spec.updateStrategy.rollingUpdate.partition", &rolling["partition"]);
        }
        kind => {
            let detail = "must be 'RollingUpdate' or 'OnDelete'";
            checks.push(FieldError::invalid_as("spec.updateStrategy", &internal_strategy(kind), detail));
        }
    }
    for field in ["whenDeleted", "whenScaled"] {
        let at = format!("spec.persistentVolumeClaimRetentionPolicy.{field}");
        checks.known(at, &spec["persistentVolumeClaimRetentionPolicy"][field], &["Retain", "Delete"]);
    }
    let claims = meta::items(&spec["volumeClaimTemplates"]);
    for (index, claim) in claims.iter().enumerate() {
        storage::check_claim(checks, &claim["spec"], &format!("spec.volumeClaimTemplates[{index}].spec"));
    }
    checks.not_negative("spec.replicas", &spec["replicas"]);
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    checks.not_negative("spec.ordinals.start", &spec["ordinals"]["start"]);
    if !text(&spec["serviceName"]).is_empty() {
        checks.form("spec.serviceName", text(&spec["serviceName"]), syntax::label);
    }
    if selector(checks, "statefulset", spec, "") {
        pods::check_template(checks, &spec["template"], "spec.template", claims);
        checks.labels("spec.template.labels", &spec["template"]["metadata"]["labels"]);
        checks.annotations("spec.template.annotations", &spec["template"]["metadata"]["annotations"]);
    }
    always_restarted(checks, spec, "StatefulSet");
}

fn daemon_set(checks: &mut Checks, spec: &Value) {
    let wanted = &spec["selector"];
    let found = Checks::run(|checks| checks.selector("spec.selector", wanted));
    let (is_usable, parsed) = (found.is_empty(), Selector::of_object(wanted));
    checks.extend(found);
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_default();
    let shown = if labels.is_null() { json!({}) } else { labels.clone() };
    let selects = wanted.is_object() && parsed.matches_labels(&shown);
    if is_usable && !selects {
        checks.invalid("spec.template.metadata.labels", &labels, MISMATCH);
    }
    if wanted.is_object() && parsed.is_empty() {
        checks.invalid("spec.selector", wanted, "empty selector is invalid for daemonset");
    }
    template(checks, spec, "DaemonSet", &[]);
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    match text(&spec["updateStrategy"]["type"]) {
        "OnDelete" => {}
        "RollingUpdate" => daemon_rolling(checks, &spec["updateStrategy"]["rollingUpdate"]),
        kind => unknown_strategy(checks, "spec.updateStrategy", kind, &["RollingUpdate", "OnDelete"]),
    }
    checks.not_negative("spec.revisionHistoryLimit", &spec["revisionHistoryLimit"]);
}

fn daemon_rolling(checks: &mut Checks, rolling: &Value) {
    const AT: &str = "spec.updateStrategy.rollingUpdate";
    for field in ["maxUnavailable", "maxSurge"] {
        checks.count_or_percent(&format!("{AT}.{field}"), &rolling[field]);
    }
    for field in ["maxUnavailable", "maxSurge"] {
        checks.not_beyond_whole(&format!("{AT}.{field}"), &rolling[field]);
    }
    match (count(&rolling["maxUnavailable"]) != 0, count(&rolling["maxSurge"]) != 0) {
        (true, true) => {
            let detail = "may not be set when maxUnavailable is non-zero";
            checks.invalid(format!("{AT}.maxSurge"), &rolling["maxSurge"], detail);
        }
        (false, false) => checks.required(format!("{AT}.maxUnavailable"), "cannot be 0 when maxSurge is 0"),
        _ => {}
    }
}

// Its selector is a plain map of labels.
fn replication_controller(checks: &mut Checks, spec: &Value) {
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    if spec["selector"].as_object().is_none_or(Map::is_empty) {
        checks.required("spec.selector", "");
    }
    checks.not_negative("spec.replicas", &spec["replicas"]);
    if !spec["template"].is_object() {
        return checks.required("spec.template", "");
    }
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_default();
    let parsed = Selector::of_object(&json!({ "matchLabels": spec["selector"] }));
    if !parsed.is_empty() && !parsed.matches_labels(&labels) {
        checks.invalid("spec.template.metadata.labels", &labels, MISMATCH);
    }
    template(checks, spec, "ReplicationController", &[]);
}

/// The parts of a workload that cannot change.
pub(super) fn check_unchanged(checks: &mut Checks, plural: &str, live: &Value, object: &Value) {
    match plural {
        "deployments" | "daemonsets" | "replicasets"
            if live["spec"]["selector"] != object["spec"]["selector"] =>
        {
            checks.invalid("spec.selector", &object["spec"]["selector"], "field is immutable");
        }
        "statefulsets" => stateful_set_unchanged(checks, live, object),
        _ => {}
    }
}

fn stateful_set_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    const CHANGEABLE: [&str; 7] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        for field in CHANGEABLE {
            meta::take(&mut spec, field);
        }
        spec
    };
    if fixed(live) != fixed(object) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
            'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
            forbidden";
        checks.forbidden("spec", detail);
    }
}
