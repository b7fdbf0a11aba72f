//! `ResourceQuotas` and `LimitRanges`.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/policy/resource-quotas/> and
//! <https://kubernetes.io/docs/concepts/policy/limit-range/>

use std::collections::BTreeSet;

use engine_kinds::Quantity;
use serde_json::{Value, json};

use crate::error::FieldError;
use crate::meta;

/// What quotas count by whole objects.
const COUNTS: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// What quotas sum up.
const AMOUNTS: [&str; 10] = [
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

fn amount(value: &Value) -> Option<Quantity> {
    value.as_str().and_then(|text| text.parse().ok())
}

/// The rules of a quota.
pub(super) fn quota(object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let mut errors = Vec::new();
    for (name, value) in spec["hard"].as_object().into_iter().flatten() {
        let at = format!("spec.hard[{name}]");
        if !name.contains('/') {
            let is_standard = COUNTS.contains(&name.as_str()) || AMOUNTS.contains(&name.as_str());
            if !is_standard && name != "storage" {
                let why = "must be a standard resource type or fully qualified";
                errors.push(FieldError::invalid(&at, &json!(name), why));
            }
            if !is_standard {
                errors.push(FieldError::invalid(&at, &json!(name), "must be a standard resource for quota"));
            }
        }
        let Some(amount) = amount(value) else { continue };
        if amount < Quantity::ZERO {
            errors.push(FieldError::invalid(&at, value, "must be greater than or equal to 0"));
        }
        if COUNTS.contains(&name.as_str()) && amount.to_string().ends_with(['m', 'u', 'n']) {
            errors.push(FieldError::invalid(&at, value, "must be an integer"));
        }
    }
    errors.extend(scopes(spec));
    errors
}

fn scopes(spec: &Value) -> Vec<FieldError> {
    let at = "spec.scopes";
    let scopes = meta::strings(&spec["scopes"]);
    let hard = spec["hard"].as_object().into_iter().flatten();
    let counted: Vec<_> = hard.map(|(name, _)| name.as_str()).collect();
    let mut errors = Vec::new();
    for scope in &scopes {
        if !SCOPES.contains(scope) {
            errors.push(FieldError::invalid(at, &spec["scopes"], "unsupported scope"));
        }
        let standard = counted.iter().filter(|name| COUNTS.contains(*name) || AMOUNTS.contains(*name));
        for _ in standard.filter(|name| !fits(scope, name)) {
            errors.push(FieldError::invalid(at, &spec["scopes"], "unsupported scope applied to resource"));
        }
    }
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if scopes.contains(&one) && scopes.contains(&other) {
            errors.push(FieldError::invalid(at, &spec["scopes"], "conflicting scopes"));
        }
    }
    errors
}

// Whether what is counted depends on a scope.
fn fits(scope: &str, name: &str) -> bool {
    let is_of_pods = name == "pods"
        || ["cpu", "memory", "ephemeral-storage"].iter().any(|amount| {
            name == *amount
                || name.strip_prefix("requests.") == Some(amount)
                || name.strip_prefix("limits.") == Some(amount)
        });
    match scope {
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => is_of_pods,
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

/// Quotas keep their scopes.
pub(super) fn quota_unchanged(live: &Value, object: &Value) -> Option<FieldError> {
    let sorted = |value: &Value| {
        let mut scopes = meta::strings(&value["spec"]["scopes"]);
        scopes.sort_unstable();
        scopes.join(",")
    };
    let changed = sorted(live) != sorted(object);
    changed.then(|| FieldError::invalid("spec.scopes", &object["spec"]["scopes"], "field is immutable"))
}

/// The rules of a range.
pub(super) fn limit_range(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut kinds = BTreeSet::new();
    for (idx, item) in meta::items(&object["spec"]["limits"]).iter().enumerate() {
        let at = format!("spec.limits[{idx}]");
        let kind = item["type"].as_str().unwrap_or_default();
        if !kinds.insert(kind) {
            errors.push(FieldError::duplicate(format!("{at}.type"), &item["type"]));
        }
        if kind == "Pod" {
            for field in ["default", "defaultRequest"] {
                if item[field].as_object().is_some_and(|amounts| !amounts.is_empty()) {
                    let why = "may not be specified when `type` is 'Pod'";
                    errors.push(FieldError::forbidden(format!("{at}.{field}"), why));
                }
            }
        }
        if kind == "PersistentVolumeClaim"
            && item["min"]["storage"].is_null()
            && item["max"]["storage"].is_null()
        {
            let why = "either minimum or maximum storage value is required, but neither was provided";
            errors.push(FieldError::required(format!("{at}.limits"), why));
        }
        errors.extend(contradictions(&at, item));
    }
    errors
}

// Amounts that must not be more than others: field and words of each, then which of them is quoted and where.
fn contradictions(at: &str, item: &Value) -> Vec<FieldError> {
    let (min, max) = (("min", "min value"), ("max", "max value"));
    let (request, default) = (("defaultRequest", "default request value"), ("default", "default value"));
    let limit = ("default", "default limit value");
    let pairs = [
        (min, max, "min", "min"),
        (min, request, "defaultRequest", "defaultRequest"),
        (request, max, "defaultRequest", "defaultRequest"),
        (request, limit, "defaultRequest", "defaultRequest"),
        (min, default, "default", "min"),
        (default, max, "default", "max"),
    ];
    let fields = ["max", "min", "default", "defaultRequest"];
    let names: BTreeSet<&String> = fields
        .iter()
        .filter_map(|field| item[*field].as_object())
        .flat_map(|amounts| amounts.keys())
        .collect();
    let mut errors = Vec::new();
    for name in names {
        for ((low, low_words), (high, high_words), place, quoted) in pairs {
            let (Some(less), Some(more)) = (amount(&item[low][name]), amount(&item[high][name])) else {
                continue;
            };
            if less > more {
                let why = format!("{low_words} {less} is greater than {high_words} {more}");
                errors.push(FieldError::invalid(format!("{at}.{place}[{name}]"), &item[quoted][name], &why));
            }
        }
    }
    errors
}

/// A class of a user is below those of the system.
pub(super) fn priority_class(object: &Value) -> Option<FieldError> {
    /// The highest priority for users.
    const HIGHEST: i64 = 1_000_000_000;
    let is_system = meta::name(object).starts_with("system-");
    let is_over = !is_system && object["value"].as_i64() > Some(HIGHEST);
    is_over.then(|| {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        FieldError::forbidden("value", &why)
    })
}

/// An event is where the object is that it tells of.
pub(super) fn event(object: &Value) -> Option<FieldError> {
    let place = &object["involvedObject"]["namespace"];
    let stated = place.as_str().unwrap_or_default();
    let is_elsewhere = !stated.is_empty() && stated != meta::namespace(object);
    is_elsewhere
        .then(|| FieldError::invalid("involvedObject.namespace", place, "does not match event.namespace"))
}
