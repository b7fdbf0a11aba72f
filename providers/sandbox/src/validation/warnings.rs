//! What a valid object should still be told.
//!
//! # Source
//! The packages `pkg/api/pod` and `pkg/api/service` of Kubernetes, and
//! <https://kubernetes.io/blog/2020/09/03/warnings/>

use std::collections::BTreeSet;

use serde_json::Value;

use crate::meta;

/// The warnings on a Service.
pub(super) fn of_service(object: &Value) -> Vec<String> {
    let spec = &object["spec"];
    let is_external = spec["type"] == "ExternalName";
    let is_headless = spec["type"] == "ClusterIP" && spec["clusterIP"] == "None";
    let has = |field: &str| match &spec[field] {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let rules = [
        (is_headless && has("loadBalancerIP"), "spec.loadBalancerIP is ignored for headless services"),
        (is_headless && has("externalIPs"), "spec.externalIPs is ignored for headless services"),
        (
            is_headless && spec["sessionAffinity"] != "None",
            "spec.SessionAffinity is ignored for headless services",
        ),
        (
            has("externalIPs") && !is_headless && !is_external,
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        ),
        (is_external && has("externalIPs"), "spec.externalIPs is ignored when spec.type is \"ExternalName\""),
        (
            !is_external && has("externalName"),
            "spec.externalName is ignored when spec.type is not \"ExternalName\"",
        ),
        (
            spec["trafficDistribution"] == "PreferClose",
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
        ),
    ];
    rules.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text.to_owned()).collect()
}

/// The warnings on a pod's spec at a path: variables that hide others, which server-side apply would drop.
pub(super) fn of_pod(spec: &Value, at: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for list in ["initContainers", "containers"] {
        for (number, container) in meta::items(&spec[list]).iter().enumerate() {
            let mut known = BTreeSet::new();
            for (index, variable) in meta::items(&container["env"]).iter().enumerate() {
                let name = variable["name"].as_str().unwrap_or_default();
                let reference = format!("$({name})");
                let value = variable["value"].as_str().unwrap_or_default();
                // To extend what was defined before is fine.
                let extends =
                    variable["valueFrom"].is_null() && value != reference && value.contains(&reference);
                if !known.insert(name) && !extends {
                    warnings.push(format!(
                        "{at}.{list}[{number}].env[{index}]: hides previous definition of {name:?}, which may be dropped \
                         when using apply"
                    ));
                }
            }
        }
    }
    warnings
}
