//! Rules of workloads.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/>

use serde_json::{Value, json};

use super::pods;
use crate::error::FieldError;
use crate::meta;
use crate::selector::Selector;

/// The rules of a workload of this plural; its singular is used in texts.
pub(super) fn check(plural: &str, object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    if plural == "cronjobs" {
        return check_cron_job(spec);
    }
    let mut errors = Vec::new();
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        errors.push(FieldError::invalid(
            "spec.replicas",
            &spec["replicas"],
            "must be greater than or equal to 0",
        ));
    }
    if plural != "jobs" {
        check_selector(plural, spec, &mut errors);
    }
    if spec["strategy"]["type"] == "Recreate" && spec["strategy"]["rollingUpdate"].is_object() {
        let detail = "may not be specified when strategy `type` is 'Recreate'";
        errors.push(FieldError::forbidden("spec.strategy.rollingUpdate", detail));
    }
    errors.extend(pods::check(
        &spec["template"]["spec"],
        "spec.template.spec",
        meta::items(&spec["volumeClaimTemplates"]),
    ));
    check_restart_policy(plural == "jobs", &spec["template"]["spec"]["restartPolicy"], "spec", &mut errors);
    errors
}

fn check_selector(plural: &str, spec: &Value, errors: &mut Vec<FieldError>) {
    let selector = &spec["selector"];
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
        // Kubernetes goes on with a selector that selects nothing.
        errors.push(FieldError::invalid(
            "spec.template.metadata.labels",
            &labels,
            "`selector` does not match template `labels`",
        ));
        return;
    }
    // A ReplicationController's selector is a plain map of labels.
    let (is_empty, parsed) = if plural == "replicationcontrollers" {
        (
            selector.as_object().is_none_or(serde_json::Map::is_empty),
            Selector::of_object(&json!({ "matchLabels": selector })),
        )
    } else {
        let parsed = Selector::of_object(selector);
        (parsed.is_empty(), parsed)
    };
    if is_empty {
        let noun = plural.strip_suffix('s').unwrap_or(plural);
        let detail = format!("empty selector is invalid for {noun}");
        errors.push(FieldError::invalid("spec.selector", selector, &detail));
    } else if !parsed.matches_labels(&labels) {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", &labels, detail));
    }
}

fn check_restart_policy(is_job: bool, policy: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let at = format!("{path}.template.spec.restartPolicy");
    match (is_job, policy.as_str()) {
        (true, Some("OnFailure" | "Never")) | (false, Some("Always") | None) => {}
        (true, None | Some("Always")) => {
            errors.push(FieldError::required(at, "valid values: \"OnFailure\", \"Never\""));
        }
        (true, Some(_)) => {
            errors.push(FieldError::unsupported(at, policy, &["OnFailure".to_owned(), "Never".to_owned()]));
        }
        (false, Some(_)) => errors.push(FieldError::unsupported(at, policy, &["Always".to_owned()])),
    }
}

fn check_cron_job(spec: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let schedule = spec["schedule"].as_str().unwrap_or_default();
    let fields: Vec<_> = schedule.split_whitespace().collect();
    if schedule.is_empty() {
        errors.push(FieldError::required("spec.schedule", ""));
    } else if fields.len() != 5 && !schedule.starts_with('@') {
        let detail =
            format!("expected exactly 5 fields, found {}: {fields:?}", fields.len()).replace([',', '"'], "");
        errors.push(FieldError::invalid("spec.schedule", &json!(schedule), &detail));
    }
    let job = &spec["jobTemplate"]["spec"];
    errors.extend(pods::check(&job["template"]["spec"], "spec.jobTemplate.spec.template.spec", &[]));
    check_restart_policy(
        true,
        &job["template"]["spec"]["restartPolicy"],
        "spec.jobTemplate.spec",
        &mut errors,
    );
    errors
}

/// The parts of a workload that cannot change.
pub(super) fn check_unchanged(plural: &str, live: &Value, object: &Value) -> Vec<FieldError> {
    let fixed = |fields: &[&str]| -> Vec<FieldError> {
        fields
            .iter()
            .filter(|field| live["spec"][**field] != object["spec"][**field])
            .map(|field| {
                FieldError::invalid(format!("spec.{field}"), &object["spec"][*field], "field is immutable")
            })
            .collect()
    };
    match plural {
        "deployments" | "daemonsets" | "replicasets" => fixed(&["selector"]),
        "jobs" if object["spec"]["completionMode"] == "Indexed" => {
            fixed(&["selector", "template", "completionMode"])
        }
        "jobs" => fixed(&["completions", "selector", "template", "completionMode"]),
        "statefulsets" => check_stateful_set(live, object).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn check_stateful_set(live: &Value, object: &Value) -> Option<FieldError> {
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
    (fixed(live) != fixed(object)).then(|| {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
            'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
            forbidden";
        FieldError::forbidden("spec", detail)
    })
}
