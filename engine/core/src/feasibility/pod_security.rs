//! Pod Security Standards that a namespace enforces against its pods.

use super::namespace::Namespace;
use super::workload::{Workload, container_name};
use super::{POD_SECURITY, about, list, seek, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::value::{Map, Value};

/// The label by which the API server refuses pods.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

const CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const RESTRICTED_CAPABILITIES: &[&str] = &["NET_BIND_SERVICE"];

const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

const SELINUX_TYPES: [&str; 5] =
    ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// Volumes that the standard `restricted` refuses.
const REFUSED_VOLUMES: [&str; 20] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// Finds pods that their namespace refuses.
///
/// # Source
/// Kubernetes, Pod Security Standards; Pod Security Admission.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    let Some(declared) = &namespace.declared else { return };
    let standard = declared.body.str_at(&["metadata", "labels", ENFORCE]);
    let is_restricted = standard == Some("restricted");
    if !is_restricted && standard != Some("baseline") {
        return;
    }
    for workload in &namespace.workloads {
        let mut breaches = baseline(workload);
        if is_restricted {
            breaches.extend(restricted(workload.spec));
        }
        if breaches.is_empty() {
            continue;
        }
        let summary = format!(
            "{} enforces the Pod Security Standard {}, which the pods of {} break",
            declared.object_ref(),
            standard.unwrap_or_default(),
            workload.object.object_ref()
        );
        let diagnostic = Diagnostic::warning(POD_SECURITY, summary)
            .detail(format!("{}. The API server refuses such pods.", some_of(&breaches)))
            .hint("change the pod template, or the label of the namespace");
        found.push(about(workload.object.resource, diagnostic));
    }
}

/// Tells whether a field has a value that some words name; one that is not known has none.
fn says(value: &Value, names: &[&str], is_so: impl Fn(&str) -> bool) -> bool {
    value.str_at(names).is_some_and(is_so)
}

fn is_true(value: &Value, names: &[&str]) -> bool {
    value.at(names).and_then(Value::as_bool) == Some(true)
}

/// Tells whether a field is as it must be; one that is not known counts as such.
fn must_be(value: &Value, names: &[&str], wanted: bool) -> bool {
    matches!(seek(value, names), Some(Value::Null)) || value.at(names) == Some(&Value::Bool(wanted))
}

/// Returns the containers of a pod, each with the words that name it.
fn containers(spec: &Value) -> impl Iterator<Item = (&Value, String)> {
    let all = list(spec, &["initContainers"]).iter().chain(list(spec, &["containers"]));
    all.map(|container| (container, format!("container {}", container_name(container))))
}

fn baseline(workload: &Workload<'_>) -> Vec<String> {
    let spec = workload.spec;
    let mut breaches = Vec::new();
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        breaches.extend(is_true(spec, &[field]).then(|| format!("{field} is set")));
    }
    for volume in list(spec, &["volumes"]).iter().filter(|volume| volume.get("hostPath").is_some()) {
        let name = volume.str_at(&["name"]).unwrap_or_default();
        breaches.push(format!("volume {name} is a hostPath"));
    }
    for sysctl in list(spec, &["securityContext", "sysctls"]).iter().filter_map(|it| it.str_at(&["name"])) {
        breaches.extend((!SYSCTLS.contains(&sysctl)).then(|| format!("the sysctl {sysctl} is set")));
    }
    let annotations = workload.annotations.and_then(Value::as_map).into_iter().flat_map(Map::iter);
    for (name, value) in annotations.filter(|(name, _)| name.starts_with("container.apparmor.security.beta."))
    {
        let is_allowed = |it: &str| it.is_empty() || it == "runtime/default" || it.starts_with("localhost/");
        breaches.extend(says(value, &[], |it| !is_allowed(it)).then(|| format!("the annotation {name}")));
    }
    security_context(spec, "the pod", &mut breaches);
    for (container, what) in containers(spec) {
        security_context(container, &what, &mut breaches);
        baseline_container(container, &what, &mut breaches);
    }
    breaches
}

/// Looks at what a pod and a container may both say.
fn security_context(value: &Value, what: &str, breaches: &mut Vec<String>) {
    let field = |names: &[&'static str]| [&["securityContext"], names].concat();
    let mut breach = |is_so: bool, words: &str| breaches.extend(is_so.then(|| format!("{what}: {words}")));
    breach(is_true(value, &field(&["windowsOptions", "hostProcess"])), "hostProcess is set");
    breach(says(value, &field(&["seccompProfile", "type"]), |it| it == "Unconfined"), "seccomp is off");
    breach(says(value, &field(&["appArmorProfile", "type"]), |it| it == "Unconfined"), "AppArmor is off");
    let is_other = |it: &str| !SELINUX_TYPES.contains(&it);
    breach(says(value, &field(&["seLinuxOptions", "type"]), is_other), "seLinuxOptions.type");
    for option in ["user", "role"] {
        let is_set = says(value, &field(&["seLinuxOptions", option]), |it| !it.is_empty());
        breach(is_set, &format!("seLinuxOptions.{option}"));
    }
}

fn baseline_container(container: &Value, what: &str, breaches: &mut Vec<String>) {
    let mut breach = |is_so: bool, words: &str| breaches.extend(is_so.then(|| format!("{what}: {words}")));
    breach(is_true(container, &["securityContext", "privileged"]), "privileged");
    let is_other = |it: &str| it != "Default";
    breach(says(container, &["securityContext", "procMount"], is_other), "procMount");
    for added in added_capabilities(container, CAPABILITIES) {
        breach(true, &format!("adds the capability {added}"));
    }
    let ports = list(container, &["ports"]).iter().filter_map(|port| port.get("hostPort")?.as_i64());
    for port in ports.filter(|port| *port != 0) {
        breach(true, &format!("hostPort {port}"));
    }
}

fn added_capabilities<'a>(container: &'a Value, allowed: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let added = list(container, &["securityContext", "capabilities", "add"]).iter().filter_map(Value::as_str);
    added.filter(|added| !allowed.contains(added))
}

/// Returns what breaks `restricted`, but not `baseline`.
fn restricted(spec: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    for volume in list(spec, &["volumes"]) {
        let refused = REFUSED_VOLUMES.iter().find(|kind| volume.get(kind).is_some());
        let name = volume.str_at(&["name"]).unwrap_or_default();
        breaches.extend(refused.map(|kind| format!("volume {name} is of the type {kind}")));
    }
    let is_root =
        |value: &Value| value.at(&["securityContext", "runAsUser"]).and_then(Value::as_i64) == Some(0);
    // With user namespaces, root inside is nobody outside.
    let is_mapped = spec.get("hostUsers").and_then(Value::as_bool) == Some(false);
    breaches.extend((is_root(spec) && !is_mapped).then(|| "the pod: runAsUser is 0".to_owned()));
    let is_windows = spec.str_at(&["os", "name"]) == Some("windows");
    for (container, what) in containers(spec) {
        let mut breach =
            |is_so: bool, words: &str| breaches.extend(is_so.then(|| format!("{what}: {words}")));
        if !is_mapped {
            breach(!says_either(spec, container, "runAsNonRoot"), "runAsNonRoot is not true");
            breach(is_root(container), "runAsUser is 0");
        }
        if is_windows {
            continue;
        }
        let escalates = !must_be(container, &["securityContext", "allowPrivilegeEscalation"], false);
        breach(escalates, "allowPrivilegeEscalation is not false");
        breach(!drops_all(container), "does not drop ALL capabilities");
        let is_confined = [container, spec]
            .into_iter()
            .any(|it| seek(it, &["securityContext", "seccompProfile", "type"]).is_some());
        breach(!is_confined, "has no seccompProfile");
        for added in added_capabilities(container, RESTRICTED_CAPABILITIES) {
            // What `baseline` refuses has been said.
            breach(CAPABILITIES.contains(&added), &format!("adds the capability {added}"));
        }
    }
    breaches
}

/// Tells whether a container says true, or says nothing and its pod does.
fn says_either(spec: &Value, container: &Value, field: &str) -> bool {
    let of = if seek(container, &["securityContext", field]).is_some() { container } else { spec };
    must_be(of, &["securityContext", field], true)
}

fn drops_all(container: &Value) -> bool {
    match seek(container, &["securityContext", "capabilities", "drop"]) {
        Some(Value::List(dropped)) => dropped.iter().any(|it| matches!(it.as_str(), Some("ALL") | None)),
        Some(Value::Null) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
