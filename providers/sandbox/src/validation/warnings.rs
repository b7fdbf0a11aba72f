//! What a valid object should still be told: what is deprecated, does nothing, or surprises.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#warnings>, and the `warnings.go` of the packages below
//! `k8s.io/kubernetes/pkg/api`

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::checks::{is_fractional, text};
use crate::meta;
use crate::resource::Resource;

const NODE_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];

const ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

const VOLUMES: [(&str, &str); 9] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// The warnings on a write of this object; `live` is what was there.
pub(super) fn of(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    let is_new = live.is_none();
    // What runs pods is looked at again only if it has a new generation.
    let runs_pods = matches!(resource.group.as_str(), "apps" | "batch")
        || (resource.group.is_empty()
            && matches!(resource.plural.as_str(), "pods" | "podtemplates" | "replicationcontrollers"));
    if runs_pods && live.is_some_and(|live| meta::generation(live) == meta::generation(object)) {
        return found;
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => pod(object, "", &mut found),
        ("", "podtemplates") => pod(&object["template"], "template", &mut found),
        ("", "replicationcontrollers") | ("apps", _) if object["spec"]["template"].is_object() => {
            pod(&object["spec"]["template"], "spec.template", &mut found);
            if resource.plural == "statefulsets" && object["spec"]["revisionHistoryLimit"].as_i64() < Some(0)
            {
                let words = "a negative value retains all historical revisions; a value >= 0 is recommended";
                found.push(format!("spec.revisionHistoryLimit: {words}"));
            }
        }
        ("batch", "jobs") => {
            dotted_name(object, is_new, &mut found);
            pod(&object["spec"]["template"], "spec.template", &mut found);
        }
        ("batch", "cronjobs") => {
            dotted_name(object, is_new, &mut found);
            let at = "spec.jobTemplate.spec.template";
            pod(&object["spec"]["jobTemplate"]["spec"]["template"], at, &mut found);
        }
        ("", "nodes") if !text(&object["spec"]["externalID"]).is_empty() => {
            found.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".into());
        }
        ("", "persistentvolumeclaims") => claim(object, &mut found),
        ("", "persistentvolumes") => volume(object, &mut found),
        ("", "secrets") => secret(object, &mut found),
        ("", "serviceaccounts") => {
            let key = "kubernetes.io/enforce-mountable-secrets";
            if meta::annotation(object, key).is_some() {
                let words =
                    "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
                found.push(format!("metadata.annotations[{key}]: {words}"));
            }
        }
        ("", "services") => service(object, &mut found),
        ("discovery.k8s.io", "endpointslices") if object["addressType"] == "FQDN" && is_new => {
            found.push("spec.addressType: FQDN endpoints are deprecated".into());
        }
        ("networking.k8s.io", "ingresses") if is_new => ingress(object, &mut found),
        ("node.k8s.io", "runtimeclasses") => runtime_class(object, &mut found),
        ("storage.k8s.io", "csidrivers") if is_new => csi_driver(object, &mut found),
        ("storage.k8s.io", "storageclasses") => storage_class(object, &mut found),
        _ => {}
    }
    found
}

fn ingress(object: &Value, found: &mut Vec<String>) {
    let key = "kubernetes.io/ingress.class";
    if meta::annotation(object, key).is_some() && object["spec"]["ingressClassName"].is_null() {
        found.push(format!("annotation {key:?} is deprecated, please use 'spec.ingressClassName' instead"));
    }
}

fn runtime_class(object: &Value, found: &mut Vec<String>) {
    for (key, _) in object["scheduling"]["nodeSelector"].as_object().into_iter().flatten() {
        found.extend(label_warning(key).map(|words| format!("scheduling.nodeSelector: {words}")));
    }
}

fn label_warning(key: &str) -> Option<&'static str> {
    NODE_LABELS.iter().find(|(label, _)| *label == key).map(|(_, words)| *words)
}

fn dotted_name(object: &Value, is_new: bool, found: &mut Vec<String>) {
    if is_new && meta::name(object).contains('.') {
        let words = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is \
            recommended: [must not contain dots]";
        found.push(format!("metadata.name: {words}"));
    }
}

fn join(at: &str, field: &str) -> String {
    if at.is_empty() { field.to_owned() } else { format!("{at}.{field}") }
}

// `at` is where the template is, or empty for a pod itself.
fn pod(template: &Value, at: &str, found: &mut Vec<String>) {
    let spec = &template["spec"];
    let annotations = &template["metadata"]["annotations"];
    scheduling(spec, at, found);
    for (key, words) in ANNOTATIONS.iter().filter(|(key, _)| annotations.get(*key).is_some()) {
        found.push(format!("{}[{key}]: {words}", join(at, "metadata.annotations")));
    }
    for (index, volume) in meta::items(&spec["volumes"]).iter().enumerate() {
        for (kind, words) in VOLUMES.iter().filter(|(kind, _)| volume[*kind].is_object()) {
            found.push(format!("{}[{index}].{kind}: {words}", join(at, "spec.volumes")));
        }
    }
    names(spec, at, found);
    let seccomp = "seccomp.security.alpha.kubernetes.io/pod";
    if annotations.get(seccomp).is_some() && !spec["securityContext"]["seccompProfile"].is_object() {
        let words = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
        found.push(format!("{}[{seccomp}]: {words}", join(at, "metadata.annotations")));
    }
    let containers = containers(spec, at);
    for (place, container) in &containers {
        armor(container, annotations, at, found);
        amounts(container, place, found);
        hidden_variables(container, place, found);
    }
    ports(&containers, found);
    if spec["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        let words = "must be >= 0; negative values are invalid and will be treated as 1";
        found.push(format!("{}: {words}", join(at, "spec.terminationGracePeriodSeconds")));
    }
    null_selectors(spec, at, found);
}

fn scheduling(spec: &Value, at: &str, found: &mut Vec<String>) {
    for (key, _) in spec["nodeSelector"].as_object().into_iter().flatten() {
        found.extend(
            label_warning(key).map(|words| format!("{}[{key}]: {words}", join(at, "spec.nodeSelector"))),
        );
    }
    for (index, wish) in meta::items(&spec["topologySpreadConstraints"]).iter().enumerate() {
        let place = format!("{}[{index}]", join(at, "spec.topologySpreadConstraints"));
        let key = text(&wish["topologyKey"]);
        found.extend(label_warning(key).map(|words| format!("{place}.topologyKey: {key} is {words}")));
        if wish["labelSelector"].is_null() {
            found.push(format!("{place}.labelSelector: a null labelSelector results in matching no pod"));
        }
    }
}

// Names and addresses that are stated twice, or not at all.
fn names(spec: &Value, at: &str, found: &mut Vec<String>) {
    for (list, field, noun) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
        let mut seen = BTreeSet::new();
        for (index, item) in meta::items(&spec[list]).iter().enumerate() {
            let name = text(&item[field]);
            if !seen.insert(name) {
                found.push(format!(
                    "{}[{index}].{field}: duplicate {noun} {name:?}",
                    join(at, &format!("spec.{list}"))
                ));
            }
        }
    }
    for (index, secret) in meta::items(&spec["imagePullSecrets"]).iter().enumerate() {
        if text(&secret["name"]).is_empty() {
            found.push(format!(
                "{}[{index}].name: invalid empty name \"\"",
                join(at, "spec.imagePullSecrets")
            ));
        }
    }
}

fn containers<'a>(spec: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let mut all = Vec::new();
    for list in ["initContainers", "containers"] {
        for (index, container) in meta::items(&spec[list]).iter().enumerate() {
            all.push((format!("{}[{index}]", join(at, &format!("spec.{list}"))), container));
        }
    }
    all
}

fn armor(container: &Value, annotations: &Value, at: &str, found: &mut Vec<String>) {
    let key = format!("container.apparmor.security.beta.kubernetes.io/{}", text(&container["name"]));
    if annotations.get(&key).is_some() && !container["securityContext"]["appArmorProfile"].is_object() {
        let words = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
        found.push(format!("{}[{key}]: {words}", join(at, "metadata.annotations")));
    }
}

fn amounts(container: &Value, place: &str, found: &mut Vec<String>) {
    for name in ["memory", "ephemeral-storage"] {
        for field in ["limits", "requests"] {
            let value = &container["resources"][field][name];
            if is_fractional(value) {
                let words = format!("fractional byte value {value} is invalid, must be an integer");
                found.push(format!("{place}.resources.{field}[{name}]: {words}"));
            }
        }
    }
}

fn hidden_variables(container: &Value, place: &str, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (index, variable) in meta::items(&container["env"]).iter().enumerate() {
        let name = text(&variable["name"]);
        let (value, own) = (text(&variable["value"]), format!("$({name})"));
        let extends = variable["valueFrom"].is_null() && value != own && value.contains(&own);
        if !seen.insert(name) && !extends {
            let words = "which may be dropped when using apply";
            found.push(format!("{place}.env[{index}]: hides previous definition of {name:?}, {words}"));
        }
    }
}

fn ports(containers: &[(String, &Value)], found: &mut Vec<String>) {
    let all: Vec<(String, &Value)> = containers
        .iter()
        .flat_map(|(place, container)| {
            let ports = meta::items(&container["ports"]).iter().enumerate();
            ports.map(move |(index, port)| (format!("{place}.ports[{index}]"), port))
        })
        .collect();
    for (index, (place, port)) in all.iter().enumerate() {
        let is_alike = |other: &Value| {
            other["containerPort"] == port["containerPort"] && other["protocol"] == port["protocol"]
        };
        for (before, other) in all[..index].iter().filter(|(_, other)| is_alike(other)) {
            let host = |port: &Value| port["hostPort"].as_i64().unwrap_or(0);
            let how = if other["hostIP"] == port["hostIP"] && host(other) == host(port) {
                "duplicate"
            } else if host(port) == 0 || host(other) == 0 {
                "overlapping"
            } else if host(port) == host(other) && (port["hostIP"].is_null() != other["hostIP"].is_null()) {
                "dangerously ambiguous"
            } else {
                continue;
            };
            found.push(format!("{place}: {how} port definition with {before}"));
        }
    }
    for (index, (place, port)) in all.iter().enumerate() {
        let name = text(&port["name"]);
        let first = all[..index].iter().find(|(_, other)| !name.is_empty() && other["name"] == name);
        if let Some((before, _)) = first {
            let words = "services and probes that select ports by name will use";
            found.push(format!("{place}: duplicate port name {name:?} with {before}, {words} {before}"));
        }
    }
}

fn null_selectors(spec: &Value, at: &str, found: &mut Vec<String>) {
    const WORDS: &str = "a null labelSelector results in matching no pod";
    let kinds = [("required", ""), ("preferred", ".podAffinityTerm")];
    for side in ["podAffinity", "podAntiAffinity"] {
        for (when, inner) in kinds {
            let field = format!("{when}DuringSchedulingIgnoredDuringExecution");
            for (index, term) in meta::items(&spec["affinity"][side][&field]).iter().enumerate() {
                let selected = if inner.is_empty() { term } else { &term["podAffinityTerm"] };
                if selected["labelSelector"].is_null() {
                    let place = join(at, &format!("spec.affinity.{side}.{field}"));
                    found.push(format!("{place}[{index}]{inner}.labelSelector: {WORDS}"));
                }
            }
        }
    }
}

fn claim(object: &Value, found: &mut Vec<String>) {
    for (key, words) in [
        (
            "volume.beta.kubernetes.io/storage-class",
            "deprecated since v1.8; use \"storageClassName\" attribute instead",
        ),
        (
            "volume.beta.kubernetes.io/storage-provisioner",
            "deprecated since v1.23; use \"volume.kubernetes.io/storage-provisioner\" instead",
        ),
    ] {
        if meta::annotation(object, key).is_some() {
            found.push(format!("metadata.annotations[{key}]: {words}"));
        }
    }
    let size = &object["spec"]["resources"]["requests"]["storage"];
    if is_fractional(size) {
        let words = format!("fractional byte value {size} is invalid, must be an integer");
        found.push(format!("spec.resources.requests[storage]: {words}"));
    }
}

fn volume(object: &Value, found: &mut Vec<String>) {
    if object["spec"]["persistentVolumeReclaimPolicy"] == "Recycle" {
        let words = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic \
            provisioning.";
        found.push(format!("spec.persistentVolumeReclaimPolicy: {words}"));
    }
    for (kind, words) in VOLUMES.iter().filter(|(kind, _)| object["spec"][*kind].is_object()) {
        found.push(format!("spec.{kind}: {words}"));
    }
}

fn secret(object: &Value, found: &mut Vec<String>) {
    let certificate = STANDARD.decode(text(&object["data"]["tls.crt"])).unwrap_or_default();
    if object["type"] == "kubernetes.io/tls" && !String::from_utf8_lossy(&certificate).contains("-----BEGIN ")
    {
        found.push("tls: failed to find any PEM data in certificate input".into());
    }
}

fn service(object: &Value, found: &mut Vec<String>) {
    let spec = &object["spec"];
    let hints = "service.kubernetes.io/topology-aware-hints";
    if meta::annotation(object, hints).is_some() {
        let instead = "service.kubernetes.io/topology-mode";
        found.push(format!("annotation {hints} is deprecated, please use {instead} instead"));
    }
    let is_headless = spec["type"] == "ClusterIP" && spec["clusterIP"] == "None";
    let has_external = !meta::items(&spec["externalIPs"]).is_empty();
    let is_name = spec["type"] == "ExternalName";
    let lines = [
        (
            is_headless && !text(&spec["loadBalancerIP"]).is_empty(),
            "spec.loadBalancerIP is ignored for headless services",
        ),
        (is_headless && has_external, "spec.externalIPs is ignored for headless services"),
        (
            is_headless && spec["sessionAffinity"] != "None",
            "spec.SessionAffinity is ignored for headless services",
        ),
        (
            has_external && !is_headless && !is_name,
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        ),
        (is_name && has_external, "spec.externalIPs is ignored when spec.type is \"ExternalName\""),
        (
            !is_name && !text(&spec["externalName"]).is_empty(),
            "spec.externalName is ignored when spec.type is not \"ExternalName\"",
        ),
        (
            spec["trafficDistribution"] == "PreferClose",
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
        ),
    ];
    found.extend(lines.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words.to_owned()));
}

fn csi_driver(object: &Value, found: &mut Vec<String>) {
    let spec = &object["spec"];
    if !meta::items(&spec["tokenRequests"]).is_empty() && spec["serviceAccountTokenInSecrets"].is_null() {
        let words = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent \
            possible logging of tokens in volume attributes";
        found.push(words.to_owned());
    }
}

fn storage_class(object: &Value, found: &mut Vec<String>) {
    for (index, topology) in meta::items(&object["allowedTopologies"]).iter().enumerate() {
        for (place, wish) in meta::items(&topology["matchLabelExpressions"]).iter().enumerate() {
            let at = format!("allowedTopologies[{index}].matchLabelExpressions[{place}].key");
            found.extend(label_warning(text(&wish["key"])).map(|words| format!("{at}: {words}")));
        }
    }
}
