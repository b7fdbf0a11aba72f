//! Rules of quotas, limits, autoscalers and budgets.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/> and
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/>

use engine_kinds::Quantity;
use serde_json::{Value, json};

use super::checks::{Checks, amount, entries, is_fractional, is_negative, text};
use super::{containers, syntax};
use crate::error::FieldError;
use crate::meta;

/// What a quota counts by name.
const QUOTA: [&str; 19] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];

/// What a quota counts in whole numbers.
const WHOLE: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// The rules of a `ResourceQuota`.
pub(super) fn quota(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    for (name, value) in entries(&spec["hard"]) {
        let at = format!("spec.hard[{name}]");
        let is_known = QUOTA.contains(&name.as_str());
        let faults = syntax::qualified(name);
        for fault in &faults {
            checks.invalid(&at, &json!(name), fault);
        }
        if !name.contains('/') && !is_known {
            if faults.is_empty() {
                checks.invalid(&at, &json!(name), "must be a standard resource type or fully qualified");
            }
            checks.invalid(&at, &json!(name), "must be a standard resource for quota");
        }
        if is_negative(value) {
            checks.invalid(&at, value, "must be greater than or equal to 0");
        }
        if (WHOLE.contains(&name.as_str()) || name.contains('/')) && is_fractional(value) {
            checks.invalid(&at, value, "must be an integer");
        }
    }
    let scopes = meta::strings(&spec["scopes"]);
    let names = || entries(&spec["hard"]).map(|(name, _)| name.as_str()).filter(|name| QUOTA.contains(name));
    for scope in &scopes {
        if !SCOPES.contains(scope) {
            checks.invalid("spec.scopes", &spec["scopes"], "unsupported scope");
        }
        for _ in names().filter(|name| !may_scope(scope, name)) {
            checks.invalid("spec.scopes", &spec["scopes"], "unsupported scope applied to resource");
        }
    }
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|scope| scopes.contains(scope)) {
            checks.invalid("spec.scopes", &spec["scopes"], "conflicting scopes");
        }
    }
    for wish in meta::items(&spec["scopeSelector"]["matchExpressions"]) {
        if matches!(text(&wish["operator"]), "In" | "NotIn") && meta::items(&wish["values"]).is_empty() {
            let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            checks.required("spec.scopeSelector.matchExpressions.values", detail);
        }
    }
}

fn may_scope(scope: &str, resource: &str) -> bool {
    let is_of_pods = resource == "pods" || ["cpu", "memory"].iter().any(|part| resource.ends_with(part));
    match scope {
        "BestEffort" => resource == "pods",
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => is_of_pods,
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

/// The scopes of a quota stay.
pub(super) fn quota_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let sorted = |object: &Value| {
        let mut scopes: Vec<_> =
            meta::strings(&object["spec"]["scopes"]).into_iter().map(str::to_owned).collect();
        scopes.sort();
        scopes
    };
    if sorted(live) != sorted(object) {
        checks.invalid("spec.scopes", &object["spec"]["scopes"], "field is immutable");
    }
}

/// The rules of a `LimitRange`.
pub(super) fn limit_range(checks: &mut Checks, object: &Value) {
    let mut kinds = Vec::new();
    for (index, limit) in meta::items(&object["spec"]["limits"]).iter().enumerate() {
        let at = format!("spec.limits[{index}]");
        let kind = text(&limit["type"]);
        let faults = syntax::qualified(kind);
        for fault in &faults {
            checks.invalid(format!("{at}.type"), &json!(kind), fault);
        }
        let is_known = ["Pod", "Container", "PersistentVolumeClaim"].contains(&kind);
        if faults.is_empty() && !kind.contains('/') && !is_known {
            checks.invalid(
                format!("{at}.type"),
                &json!(kind),
                "must be a standard limit type or fully qualified",
            );
        }
        if kinds.contains(&kind) {
            checks.push(FieldError::duplicate(format!("{at}.type"), &json!(kind)));
        }
        kinds.push(kind);
        limit_names(checks, limit, &at);
        limit_bounds(checks, limit, &at);
    }
}

fn limit_names(checks: &mut Checks, limit: &Value, at: &str) {
    let kind = text(&limit["type"]);
    for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        if kind == "Pod" && field.starts_with("default") {
            if entries(&limit[field]).count() > 0 {
                checks.forbidden(format!("{at}.{field}"), "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        if kind == "PersistentVolumeClaim" && field == "maxLimitRequestRatio" {
            let is_open = ["min", "max"].iter().all(|bound| limit[*bound]["storage"].is_null());
            if is_open {
                let detail = "either minimum or maximum storage value is required, but neither was provided";
                checks.required(format!("{at}.limits"), detail);
            }
        }
        for (name, _) in entries(&limit[field]).filter(|_| matches!(kind, "Pod" | "Container")) {
            containers::resource_name(checks, name, &format!("{at}.{field}[{name}]"));
        }
    }
}

fn limit_bounds(checks: &mut Checks, limit: &Value, at: &str) {
    let fields = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
    let mut names: Vec<&String> =
        fields.iter().flat_map(|field| entries(&limit[*field])).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    // Of two bounds the greater, the smaller, where it is told and which value is shown there.
    let rules = [
        ("min", "max", "min", "min", "min value {} is greater than max value {}"),
        (
            "min",
            "defaultRequest",
            "defaultRequest",
            "defaultRequest",
            "min value {} is greater than default request value {}",
        ),
        (
            "defaultRequest",
            "max",
            "defaultRequest",
            "defaultRequest",
            "default request value {} is greater than max value {}",
        ),
        (
            "defaultRequest",
            "default",
            "defaultRequest",
            "defaultRequest",
            "default request value {} is greater than default limit value {}",
        ),
        ("min", "default", "default", "min", "min value {} is greater than default value {}"),
        ("default", "max", "default", "max", "default value {} is greater than max value {}"),
    ];
    for name in names {
        for (low, high, told, shown, words) in rules {
            let (Some(first), Some(second)) = (amount(&limit[low][name]), amount(&limit[high][name])) else {
                continue;
            };
            if first > second {
                let detail =
                    words.replacen("{}", &first.to_string(), 1).replacen("{}", &second.to_string(), 1);
                checks.invalid(format!("{at}.{told}[{name}]"), &limit[shown][name], &detail);
            }
        }
        let ratio = &limit["maxLimitRequestRatio"][name];
        if let Some(found) = amount(ratio).filter(|ratio| *ratio < Quantity::from_count(1)) {
            let detail = format!("ratio {found} is less than 1");
            checks.invalid(format!("{at}.maxLimitRequestRatio[{name}]"), ratio, &detail);
        }
    }
}

/// The rules of an autoscaler.
pub(super) fn autoscaler(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    let (least, most) = (&spec["minReplicas"], spec["maxReplicas"].as_i64().unwrap_or(0));
    let lowest = least.as_i64().unwrap_or(1);
    if lowest < 1 {
        checks.invalid("spec.minReplicas", least, "must be greater than or equal to 1");
    }
    if most == 0 {
        checks.required("spec.maxReplicas", "must be set and greater than 0");
    } else if most < 0 {
        checks.invalid("spec.maxReplicas", &json!(most), "must be greater than or equal to 1");
    }
    if most < lowest {
        let detail = "must be greater than or equal to `minReplicas`";
        checks.invalid("spec.maxReplicas", &json!(most), detail);
    }
    target(checks, &spec["scaleTargetRef"]);
    let metrics = meta::items(&spec["metrics"]);
    for (index, metric) in metrics.iter().enumerate() {
        check_metric(checks, metric, &format!("spec.metrics[{index}]"));
    }
    let is_outer = |metric: &Value| matches!(text(&metric["type"]), "Object" | "External");
    if lowest == 0 && !metrics.iter().any(is_outer) {
        let detail =
            "must specify at least one Object or External metric to support scaling to zero replicas";
        checks.forbidden("spec.metrics", detail);
    }
    for direction in ["scaleUp", "scaleDown"] {
        behavior(checks, &spec["behavior"][direction], &format!("spec.behavior.{direction}"));
    }
}

fn target(checks: &mut Checks, target: &Value) {
    checks.named("spec.scaleTargetRef.kind", &target["kind"], syntax::path_segment);
    checks.named("spec.scaleTargetRef.name", &target["name"], syntax::path_segment);
    let version = text(&target["apiVersion"]);
    if !version.contains('/') && target["kind"] != "ReplicationController" {
        checks.invalid(
            "spec.scaleTargetRef.apiVersion",
            &json!(version),
            "apiVersion must specify API group",
        );
    }
}

fn check_metric(checks: &mut Checks, metric: &Value, at: &str) {
    const KINDS: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];
    let kind = text(&metric["type"]);
    if kind.is_empty() {
        checks.required(format!("{at}.type"), "must specify a metric source type");
    }
    let field = match kind {
        "ContainerResource" => "containerResource",
        "External" => "external",
        "Object" => "object",
        "Pods" => "pods",
        "Resource" => "resource",
        _ => {
            // Kubernetes tells it twice.
            checks.unsupported(format!("{at}.type"), &json!(kind), &KINDS);
            return checks.unsupported(format!("{at}.type"), &json!(kind), &KINDS);
        }
    };
    let (source, at) = (&metric[field], format!("{at}.{field}"));
    if !source.is_object() {
        return checks.required(at, "must populate information for the given metric source");
    }
    let goal = &source["target"];
    if field.ends_with("esource") {
        if text(&source["name"]).is_empty() {
            checks.required(format!("{at}.name"), "must specify a resource name");
        }
        resource_goal(checks, goal, &format!("{at}.target"));
        return;
    }
    if text(&source["metric"]["name"]).is_empty() {
        checks.required(format!("{at}.metric.name"), "must specify a metric name");
    }
    if field == "pods" && amount(&goal["averageValue"]).is_none_or(|value| value <= Quantity::ZERO) {
        checks.required(format!("{at}.target.averageValue"), "must specify a positive target averageValue");
    }
}

fn resource_goal(checks: &mut Checks, goal: &Value, at: &str) {
    let (part, value) = (&goal["averageUtilization"], &goal["averageValue"]);
    if part.as_i64().is_some_and(|part| part < 1) {
        checks.invalid(format!("{at}.averageUtilization"), part, "must be greater than 0");
    }
    if part.is_null() && value.is_null() {
        let detail = "must set either a target raw value or a target utilization";
        checks.required(format!("{at}.averageUtilization"), detail);
    }
    if !part.is_null() && !value.is_null() {
        let detail = "may not set both a target raw value and a target utilization";
        checks.forbidden(format!("{at}.averageValue"), detail);
    }
}

fn behavior(checks: &mut Checks, rules: &Value, at: &str) {
    if !rules.is_object() {
        return;
    }
    let window = &rules["stabilizationWindowSeconds"];
    if window.as_i64().is_some_and(|seconds| seconds < 0) {
        checks.invalid(
            format!("{at}.stabilizationWindowSeconds"),
            window,
            "must be greater than or equal to zero",
        );
    }
    checks.known(format!("{at}.selectPolicy"), &rules["selectPolicy"], &["Disabled", "Max", "Min"]);
    for (index, policy) in meta::items(&rules["policies"]).iter().enumerate() {
        let at = format!("{at}.policies[{index}]");
        checks.known(format!("{at}.type"), &policy["type"], &["Percent", "Pods"]);
        for field in ["value", "periodSeconds"] {
            if policy[field].as_i64().unwrap_or(0) <= 0 {
                let found = json!(policy[field].as_i64().unwrap_or(0));
                checks.invalid(format!("{at}.{field}"), &found, "must be greater than zero");
            }
        }
    }
}

/// The rules of a budget.
pub(super) fn disruption_budget(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    let (least, missing) = (&spec["minAvailable"], &spec["maxUnavailable"]);
    if !least.is_null() && !missing.is_null() {
        let shown = format!(
            "{{\"MinAvailable\":{least},\"Selector\":{},\"MaxUnavailable\":{missing},\"UnhealthyPodEvictionPolicy\":{}}}",
            spec["selector"], spec["unhealthyPodEvictionPolicy"]
        );
        let detail = "minAvailable and maxUnavailable cannot be both set";
        checks.push(FieldError::invalid_as("spec", &shown, detail));
    }
    for (field, value) in [("minAvailable", least), ("maxUnavailable", missing)] {
        if !value.is_null() {
            checks.count_or_percent(&format!("spec.{field}"), value);
            checks.not_beyond_whole(&format!("spec.{field}"), value);
        }
    }
    checks.selector("spec.selector", &spec["selector"]);
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    checks.known("spec.unhealthyPodEvictionPolicy", &spec["unhealthyPodEvictionPolicy"], &policies);
}
