//! Rules of pods and of the pod templates in workloads.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use engine_kinds::Quantity;
use serde_json::{Value, json};

use super::names;
use crate::error::FieldError;
use crate::meta;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];

/// The rules of a pod's spec at `path`. `claims` are volumes that a `StatefulSet` brings to its pods.
pub(super) fn check(spec: &Value, path: &str, claims: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut volumes: Vec<&str> =
        meta::items(&spec["volumes"]).iter().filter_map(|volume| volume["name"].as_str()).collect();
    for (index, name) in volumes.iter().enumerate() {
        let at = format!("{path}.volumes[{index}].name");
        errors.extend(names::label_error(&at, name));
        if volumes[..index].contains(name) {
            errors.push(FieldError::duplicate(at, &json!(name)));
        }
    }
    volumes.extend(claims.iter().filter_map(|claim| claim["metadata"]["name"].as_str()));
    if meta::items(&spec["containers"]).is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    let mut seen = Vec::new();
    for list in ["containers", "initContainers"] {
        for (index, container) in meta::items(&spec[list]).iter().enumerate() {
            let at = format!("{path}.{list}[{index}]");
            let name = container["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                errors.push(FieldError::required(format!("{at}.name"), ""));
            } else if seen.contains(&name) {
                errors.push(FieldError::duplicate(format!("{at}.name"), &json!(name)));
            } else {
                errors.extend(names::label_error(&format!("{at}.name"), name));
            }
            seen.push(name);
            check_container(container, &at, &volumes, &mut errors);
        }
    }
    errors
}

fn check_container(container: &Value, at: &str, volumes: &[&str], errors: &mut Vec<FieldError>) {
    if container["image"].as_str().is_none_or(str::is_empty) {
        errors.push(FieldError::required(format!("{at}.image"), ""));
    }
    let policy = &container["imagePullPolicy"];
    if policy.as_str().is_some_and(|policy| !PULL_POLICIES.contains(&policy)) {
        errors.push(FieldError::unsupported(
            format!("{at}.imagePullPolicy"),
            policy,
            &PULL_POLICIES.map(str::to_owned),
        ));
    }
    for (index, port) in meta::items(&container["ports"]).iter().enumerate() {
        let at = format!("{at}.ports[{index}]");
        match port["containerPort"].as_i64() {
            None | Some(0) => errors.push(FieldError::required(format!("{at}.containerPort"), "")),
            Some(_) => errors.extend(port_error(&format!("{at}.containerPort"), &port["containerPort"])),
        }
        if port["protocol"].as_str().is_some_and(|protocol| !PROTOCOLS.contains(&protocol)) {
            let known = PROTOCOLS.map(str::to_owned);
            errors.push(FieldError::unsupported(format!("{at}.protocol"), &port["protocol"], &known));
        }
    }
    for (index, variable) in meta::items(&container["env"]).iter().enumerate() {
        let at = format!("{at}.env[{index}]");
        if variable["name"].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        }
        let is_both = variable["value"].as_str().is_some_and(|value| !value.is_empty())
            && variable["valueFrom"].is_object();
        if is_both {
            let detail = "may not be specified when `value` is not empty";
            errors.push(FieldError::invalid(format!("{at}.valueFrom"), &json!(""), detail));
        }
    }
    for (index, mount) in meta::items(&container["volumeMounts"]).iter().enumerate() {
        let at = format!("{at}.volumeMounts[{index}]");
        let name = mount["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        } else if !volumes.contains(&name) {
            errors.push(FieldError::not_found(format!("{at}.name"), &json!(name)));
        }
        if mount["mountPath"].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("{at}.mountPath"), ""));
        }
    }
    check_resources(&container["resources"], &format!("{at}.resources"), errors);
}

fn check_resources(resources: &Value, at: &str, errors: &mut Vec<FieldError>) {
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        let amount = |value: &Value| value.as_str().and_then(|text| text.parse::<Quantity>().ok());
        if let (Some(asked), Some(most)) = (amount(request), amount(limit))
            && asked > most
        {
            let detail = format!("must be less than or equal to {name} limit of {most}");
            errors.push(FieldError::invalid(format!("{at}.requests"), request, &detail));
        }
    }
}

/// The rule of a port number.
pub(super) fn port_error(at: &str, port: &Value) -> Option<FieldError> {
    let is_fine = port.as_i64().is_some_and(|number| (1..=65535).contains(&number));
    (!is_fine).then(|| FieldError::invalid(at, port, "must be between 1 and 65535, inclusive"))
}
