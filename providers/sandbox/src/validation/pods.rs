//! Rules of pods and of the pod templates in workloads.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::containers::{self, Role};
use super::{scheduling, syntax, volumes};
use crate::error::FieldError;
use crate::meta;

/// The rules of a pod's template at `path`, labels and all.
pub(super) fn check_template(checks: &mut Checks, template: &Value, path: &str, claims: &[Value]) {
    checks.labels(&format!("{path}.labels"), &template["metadata"]["labels"]);
    checks.annotations(&format!("{path}.annotations"), &template["metadata"]["annotations"]);
    check_spec(checks, &template["spec"], &format!("{path}.spec"), claims);
}

/// The rules of a pod's spec at `path`. `claims` are volumes that a `StatefulSet` brings to its pods.
pub(super) fn check_spec(checks: &mut Checks, spec: &Value, path: &str, claims: &[Value]) {
    let at = |field: &str| format!("{path}.{field}");
    volumes::check(checks, &spec["volumes"], &at("volumes"));
    let sources = meta::items(&spec["volumes"]).iter().map(|volume| &volume["name"]);
    let brought = claims.iter().map(|claim| &claim["metadata"]["name"]);
    let names: Vec<&str> = sources.chain(brought).filter_map(Value::as_str).collect();
    let mut taken = BTreeSet::new();
    if meta::items(&spec["containers"]).is_empty() {
        checks.required(at("containers"), "");
    }
    containers::check(checks, (&spec["containers"], &at("containers")), Role::Main, &names, &mut taken);
    containers::check(
        checks,
        (&spec["initContainers"], &at("initContainers")),
        Role::Init,
        &names,
        &mut taken,
    );
    checks.known(at("restartPolicy"), &spec["restartPolicy"], &["Always", "OnFailure", "Never"]);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    checks.known(at("dnsPolicy"), &spec["dnsPolicy"], &policies);
    checks.labels(&at("nodeSelector"), &spec["nodeSelector"]);
    check_security(checks, &spec["securityContext"], &at("securityContext"));
    scheduling::affinity(checks, &spec["affinity"], &at("affinity"));
    check_dns(checks, spec, &at("dnsConfig"));
    for (index, gate) in meta::items(&spec["readinessGates"]).iter().enumerate() {
        let at = format!("{}[{index}].conditionType", at("readinessGates"));
        checks.form(&at, text(&gate["conditionType"]), syntax::qualified);
    }
    scheduling::spread(checks, &spec["topologySpreadConstraints"], &at("topologySpreadConstraints"));
    for (field, form) in [
        ("serviceAccountName", syntax::subdomain as fn(&str) -> Vec<String>),
        ("nodeName", syntax::subdomain),
    ] {
        if !text(&spec[field]).is_empty() {
            checks.form(&at(field), text(&spec[field]), form);
        }
    }
    checks.within(at("activeDeadlineSeconds"), &spec["activeDeadlineSeconds"], 1..=i64::from(i32::MAX));
    for field in ["hostname", "subdomain"] {
        if !text(&spec[field]).is_empty() {
            checks.form(&at(field), text(&spec[field]), syntax::label);
        }
    }
    scheduling::tolerations(checks, &spec["tolerations"], &at("tolerations"));
    check_aliases(checks, &spec["hostAliases"], &at("hostAliases"));
    if !text(&spec["priorityClassName"]).is_empty() {
        checks.form(&at("priorityClassName"), text(&spec["priorityClassName"]), syntax::subdomain);
    }
}

fn check_security(checks: &mut Checks, context: &Value, at: &str) {
    const NAME: &str = "must have at most 253 characters and match regex \
        ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    let ids = 0..=i64::from(i32::MAX);
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        checks.within(format!("{at}.{field}"), &context[field], ids.clone());
    }
    for (index, group) in meta::items(&context["supplementalGroups"]).iter().enumerate() {
        checks.within(format!("{at}.supplementalGroups[{index}]"), group, ids.clone());
    }
    for (index, sysctl) in meta::items(&context["sysctls"]).iter().enumerate() {
        let name = text(&sysctl["name"]);
        let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let is_part = |part: &str| {
            part.starts_with(inner)
                && part.ends_with(inner)
                && part.chars().all(|c| inner(c) || "-_".contains(c))
        };
        if name.is_empty() {
            checks.required(format!("{at}.sysctls[{index}].name"), "");
        } else if name.len() > 253 || !name.split(['.', '/']).all(is_part) {
            checks.invalid(format!("{at}.sysctls[{index}].name"), &sysctl["name"], NAME);
        }
    }
    containers::seccomp(checks, &context["seccompProfile"], &format!("{at}.seccompProfile"));
}

fn check_dns(checks: &mut Checks, spec: &Value, at: &str) {
    let config = &spec["dnsConfig"];
    if spec["dnsPolicy"] == "None" && !config.is_object() {
        return checks.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    if spec["dnsPolicy"] == "None" && meta::items(&config["nameservers"]).is_empty() {
        checks.required(
            format!("{at}.nameservers"),
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        );
    }
    for (index, server) in meta::strings(&config["nameservers"]).into_iter().enumerate() {
        checks.form(&format!("{at}.nameservers[{index}]"), server, syntax::address);
    }
}

fn check_aliases(checks: &mut Checks, aliases: &Value, at: &str) {
    for (index, alias) in meta::items(aliases).iter().enumerate() {
        checks.form(&format!("{at}[{index}].ip"), text(&alias["ip"]), syntax::address);
        for (place, name) in meta::strings(&alias["hostnames"]).into_iter().enumerate() {
            checks.form(&format!("{at}[{index}].hostnames[{place}]"), name, syntax::subdomain);
        }
    }
}

/// A pod's containers change their images, and little else.
pub(super) fn check_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let (old, new) = (&live["spec"], &object["spec"]);
    for list in ["containers", "initContainers"] {
        if meta::items(&old[list]).len() != meta::items(&new[list]).len() {
            let noun = if list == "containers" { "containers" } else { "init containers" };
            return checks
                .forbidden(format!("spec.{list}"), &format!("pod updates may not add or remove {noun}"));
        }
    }
    let deadline = |spec: &Value| spec["activeDeadlineSeconds"].as_i64();
    match (deadline(old), deadline(new)) {
        (Some(old), Some(seconds)) if seconds > old => {
            let detail = "must be less than or equal to previous value";
            checks.invalid("spec.activeDeadlineSeconds", &json!(seconds), detail);
            return;
        }
        (Some(_), None) => {
            let detail = "must not update from a positive integer to nil value";
            checks.invalid("spec.activeDeadlineSeconds", &Value::Null, detail);
            return;
        }
        _ => {}
    }
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
    if fixed(live) != fixed(object) {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,\
            `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
            tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        checks.push(FieldError::forbidden("spec", detail));
    }
}
