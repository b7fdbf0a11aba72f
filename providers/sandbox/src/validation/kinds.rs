//! Rules of the kinds that are no workloads.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/>, the page of each kind.

use engine_kinds::Quantity;
use serde_json::{Value, json};

use super::pods;
use crate::error::FieldError;
use crate::meta;

const SERVICE_TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// The keys of a `ConfigMap`'s or Secret's data.
pub(super) fn data_keys(object: &Value) -> Vec<FieldError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut errors = Vec::new();
    for field in ["data", "binaryData"] {
        for key in object[field].as_object().into_iter().flatten().map(|(key, _)| key) {
            if key.is_empty() || key.len() > 253 || !key.chars().all(plain) {
                let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
                    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                errors.push(FieldError::invalid(format!("{field}[{key}]"), &json!(key), detail));
            }
        }
    }
    errors
}

pub(super) fn service(object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let mut errors = Vec::new();
    let kind = spec["type"].as_str().unwrap_or_default();
    if !SERVICE_TYPES.contains(&kind) {
        errors.push(FieldError::unsupported("spec.type", &spec["type"], &SERVICE_TYPES.map(str::to_owned)));
    }
    let ports = meta::items(&spec["ports"]);
    if kind == "ExternalName" {
        if spec["externalName"].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required("spec.externalName", ""));
        }
    } else if ports.is_empty() && spec["clusterIP"] != "None" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{index}]");
        if ports.len() > 1 && port["name"].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        }
        errors.extend(pods::port_error(&format!("{at}.port"), &port["port"]));
        errors.extend(
            target_port_faults(&port["targetPort"])
                .into_iter()
                .map(|fault| FieldError::invalid(format!("{at}.targetPort"), &port["targetPort"], fault)),
        );
        let same =
            |earlier: &&Value| earlier["port"] == port["port"] && earlier["protocol"] == port["protocol"];
        if ports[..index].iter().any(|earlier| same(&earlier)) {
            errors.push(FieldError::duplicate(at, port));
        }
    }
    errors
}

// The rules of port names are those of RFC 6335, section 5.1.
fn target_port_faults(target: &Value) -> Vec<&'static str> {
    let Some(name) = target.as_str() else {
        let is_fine = target.is_null() || target.as_i64().is_some_and(|port| (1..=65535).contains(&port));
        return if is_fine { Vec::new() } else { vec!["must be between 1 and 65535, inclusive"] };
    };
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let rules = [
        (name.len() > 15, "must be no more than 15 bytes"),
        (
            !name.chars().all(is_plain),
            "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            !name.contains(|letter: char| letter.is_ascii_lowercase()),
            "must contain at least one letter (a-z)",
        ),
        (name.contains("--"), "must not contain consecutive hyphens"),
        (name.starts_with('-') || name.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    rules.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, fault)| fault).collect()
}

/// Only a load balancer has addresses.
pub(super) fn service_status(object: &Value) -> Option<FieldError> {
    let has_addresses = !meta::items(&object["status"]["loadBalancer"]["ingress"]).is_empty();
    (has_addresses && object["spec"]["type"] != "LoadBalancer").then(|| {
        let detail = "may only be used when `spec.type` is 'LoadBalancer'";
        FieldError::forbidden("status.loadBalancer.ingress", detail)
    })
}

pub(super) fn service_unchanged(live: &Value, object: &Value) -> Option<FieldError> {
    let address = |object: &Value| object["spec"]["clusterIP"].as_str().unwrap_or_default().to_owned();
    let is_external = |object: &Value| object["spec"]["type"] == "ExternalName";
    if is_external(live) || is_external(object) || address(live) == address(object) {
        return None;
    }
    Some(FieldError::invalid("spec.clusterIPs[0]", &json!([address(object)]), "may not change once set"))
}

pub(super) fn claim(object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let mut errors = Vec::new();
    let modes = meta::items(&spec["accessModes"]);
    if modes.is_empty() {
        errors.push(FieldError::required("spec.accessModes", "at least 1 access mode is required"));
    }
    for mode in modes.iter().filter(|mode| !ACCESS_MODES.iter().any(|known| mode == known)) {
        errors.push(FieldError::unsupported("spec.accessModes", mode, &ACCESS_MODES.map(str::to_owned)));
    }
    if spec["resources"]["requests"]["storage"].is_null() {
        errors.push(FieldError::required("spec.resources[storage]", ""));
    }
    errors
}

/// What a claim asked for stays, except that it may ask for more room, and for what was left open.
pub(super) fn claim_unchanged(live: &Value, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        meta::take(&mut spec, "resources");
        meta::take(&mut spec, "volumeAttributesClassName");
        if live["spec"].get("volumeName").is_none() {
            meta::take(&mut spec, "volumeName");
        }
        if live["spec"].get("storageClassName").is_none() {
            meta::take(&mut spec, "storageClassName");
        }
        spec
    };
    if fixed(live) != fixed(object) {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        errors.push(FieldError::forbidden("spec", detail));
    }
    let amount = |object: &Value| {
        object["spec"]["resources"]["requests"]["storage"]
            .as_str()
            .and_then(|text| text.parse::<Quantity>().ok())
    };
    if amount(object) < amount(live) {
        let detail = "field can not be less than status.capacity";
        errors.push(FieldError::forbidden("spec.resources.requests.storage", detail));
    }
    errors
}

pub(super) fn ingress(object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let mut errors = Vec::new();
    let rules = meta::items(&spec["rules"]);
    if rules.is_empty() && !spec["defaultBackend"].is_object() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        errors.push(FieldError::invalid("spec", spec, detail));
    }
    for (rule_index, rule) in rules.iter().enumerate() {
        for (index, path) in meta::items(&rule["http"]["paths"]).iter().enumerate() {
            let at = format!("spec.rules[{rule_index}].http.paths[{index}]");
            let text = path["path"].as_str().unwrap_or_default();
            match path["pathType"].as_str() {
                None | Some("") => {
                    errors.push(FieldError::required(format!("{at}.pathType"), "pathType must be specified"));
                }
                Some("Exact" | "Prefix") if !text.starts_with('/') => {
                    errors.push(FieldError::invalid(
                        format!("{at}.path"),
                        &json!(text),
                        "must be an absolute path",
                    ));
                }
                Some("Exact" | "Prefix" | "ImplementationSpecific") => {}
                Some(_) => {
                    let known = ["Exact", "ImplementationSpecific", "Prefix"].map(str::to_owned);
                    errors.push(FieldError::unsupported(format!("{at}.pathType"), &path["pathType"], &known));
                }
            }
            if path["backend"].get("service").is_none() && path["backend"].get("resource").is_none() {
                let detail = "exactly one of `service` or `resource` must be set";
                errors.push(FieldError::required(format!("{at}.backend"), detail));
            }
        }
    }
    errors
}

pub(super) fn autoscaler(object: &Value) -> Vec<FieldError> {
    let spec = &object["spec"];
    let mut errors = Vec::new();
    let (least, most) =
        (spec["minReplicas"].as_i64().unwrap_or(1), spec["maxReplicas"].as_i64().unwrap_or(0));
    for field in ["kind", "name"] {
        if spec["scaleTargetRef"][field].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("spec.scaleTargetRef.{field}"), ""));
        }
    }
    if least < 1 {
        errors.push(FieldError::invalid(
            "spec.minReplicas",
            &json!(least),
            "must be greater than or equal to 1",
        ));
    }
    if most < 1 {
        errors.push(FieldError::invalid("spec.maxReplicas", &json!(most), "must be greater than 0"));
    }
    if most < least {
        let detail = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid("spec.maxReplicas", &json!(most), detail));
    }
    errors
}

pub(super) fn disruption_budget(object: &Value) -> Option<FieldError> {
    let spec = &object["spec"];
    let is_set = |field: &str| spec.get(field).is_some_and(|value| !value.is_null());
    (is_set("minAvailable") && is_set("maxUnavailable"))
        .then(|| FieldError::invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
}

pub(super) fn binding(object: &Value, is_cluster_wide: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let role = &object["roleRef"];
    let kinds: &[&str] = if is_cluster_wide { &["ClusterRole"] } else { &["Role", "ClusterRole"] };
    if role["kind"].as_str().is_none_or(|kind| !kinds.contains(&kind)) {
        let known: Vec<_> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let found = json!(role["kind"].as_str().unwrap_or_default());
        errors.push(FieldError::unsupported("roleRef.kind", &found, &known));
    }
    if role["name"].as_str().is_none_or(str::is_empty) {
        errors.push(FieldError::required("roleRef.name", ""));
    }
    for (index, subject) in meta::items(&object["subjects"]).iter().enumerate() {
        let at = format!("subjects[{index}]");
        if subject["name"].as_str().is_none_or(str::is_empty) {
            errors.push(FieldError::required(format!("{at}.name"), ""));
        }
        match subject["kind"].as_str() {
            Some("User" | "Group") => {}
            Some("ServiceAccount") => {
                if subject["namespace"].as_str().is_none_or(str::is_empty) && is_cluster_wide {
                    errors.push(FieldError::required(format!("{at}.namespace"), ""));
                }
            }
            _ => {
                let known = ["Group", "ServiceAccount", "User"].map(str::to_owned);
                let found = json!(subject["kind"].as_str().unwrap_or_default());
                errors.push(FieldError::unsupported(format!("{at}.kind"), &found, &known));
            }
        }
    }
    errors
}

/// What the parameters of an ingress class must name.
pub(super) fn ingress_class(object: &Value) -> Vec<FieldError> {
    let parameters = &object["spec"]["parameters"];
    let is_missing =
        |field: &&str| parameters.is_object() && parameters[*field].as_str().is_none_or(str::is_empty);
    let missing = ["kind", "name"].into_iter().filter(is_missing);
    missing.map(|field| FieldError::required(format!("spec.parameters.{field}"), "")).collect()
}

pub(super) fn storage_class(object: &Value) -> Option<FieldError> {
    let is_missing = object["provisioner"].as_str().is_none_or(str::is_empty);
    is_missing.then(|| FieldError::required("provisioner", ""))
}

pub(super) fn storage_class_unchanged(live: &Value, object: &Value) -> Vec<FieldError> {
    let changed = |field: &&str| live.get(*field) != object.get(*field);
    let mut errors: Vec<_> = ["parameters", "provisioner", "reclaimPolicy"]
        .into_iter()
        .filter(changed)
        .map(|field| FieldError::forbidden(field, &format!("updates to {field} are forbidden.")))
        .collect();
    if changed(&"volumeBindingMode") {
        errors.push(FieldError::invalid(
            "volumeBindingMode",
            &object["volumeBindingMode"],
            "field is immutable",
        ));
    }
    errors
}

/// A `ConfigMap` or Secret marked immutable keeps its data; a Secret keeps its type.
pub(super) fn data_unchanged(live: &Value, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if live.get("type") != object.get("type") {
        errors.push(FieldError::invalid("type", &object["type"], "field is immutable"));
    }
    if live["immutable"] == true {
        let changed = |field: &&str| live.get(*field) != object.get(*field);
        for field in ["immutable", "data", "binaryData"].into_iter().filter(changed) {
            errors.push(FieldError::forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
    errors
}

pub(super) fn binding_unchanged(live: &Value, object: &Value) -> Option<FieldError> {
    let role = &object["roleRef"];
    (live["roleRef"] != *role).then(|| {
        // The names that the fields have in Go.
        let shown = json!({ "APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"] });
        FieldError::invalid("roleRef", &shown, "cannot change roleRef")
    })
}

pub(super) fn priority_class_unchanged(live: &Value, object: &Value) -> Vec<FieldError> {
    let changed = |field: &&str| live.get(*field) != object.get(*field);
    let forbid = |field| FieldError::forbidden(field, "may not be changed in an update.");
    ["value", "preemptionPolicy"].into_iter().filter(changed).map(forbid).collect()
}

/// A pod's containers change their images, and little else.
pub(super) fn pod_unchanged(live: &Value, object: &Value) -> Option<FieldError> {
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName"] {
            meta::take(&mut spec, field);
        }
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                meta::take(container, "image");
            }
        }
        spec
    };
    (fixed(live) != fixed(object)).then(|| {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,\
            `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
            tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        FieldError::forbidden("spec", detail)
    })
}
