//! Rules of containers.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::checks::{Checks, amount, entries, is_fractional, is_negative, text};
use super::syntax;
use crate::error::FieldError;
use crate::meta;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// Fields of a pod that a variable may take.
const FIELDS: [&str; 10] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
    "metadata.labels",
];

/// Which containers of a pod these are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    Init,
}

/// The rules of a list of containers. `volumes` are the names that they may mount, `names` those that other containers
/// have.
pub(super) fn check<'a>(
    checks: &mut Checks,
    (list, at): (&'a Value, &str),
    role: Role,
    volumes: &[&str],
    names: &mut BTreeSet<&'a str>,
) {
    let mut host_ports = BTreeSet::new();
    for (index, container) in meta::items(list).iter().enumerate() {
        let at = format!("{at}[{index}]");
        let name = text(&container["name"]);
        if name.is_empty() {
            checks.required(format!("{at}.name"), "");
        } else {
            checks.form(&format!("{at}.name"), name, syntax::label);
        }
        if !name.is_empty() && !names.insert(name) {
            checks.push(FieldError::duplicate(format!("{at}.name"), &json!(name)));
        }
        check_one(checks, container, &at, volumes);
        let is_sidecar = role == Role::Init && container["restartPolicy"] == "Always";
        if role == Role::Main || is_sidecar {
            check_hooks(checks, container, &at);
        } else {
            forbid_hooks(checks, container, &at);
        }
        if role == Role::Main {
            check_host_ports(checks, container, &at, &mut host_ports);
        }
    }
}

fn check_one(checks: &mut Checks, container: &Value, at: &str, volumes: &[&str]) {
    let image = text(&container["image"]);
    if image.is_empty() {
        checks.required(format!("{at}.image"), "");
    } else if image.trim() != image {
        checks.invalid(format!("{at}.image"), &json!(image), "must not have leading or trailing whitespace");
    }
    checks.known(
        format!("{at}.terminationMessagePolicy"),
        &container["terminationMessagePolicy"],
        &["File", "FallbackToLogsOnError"],
    );
    check_ports(checks, container, &format!("{at}.ports"));
    for (index, variable) in meta::items(&container["env"]).iter().enumerate() {
        check_variable(checks, variable, &format!("{at}.env[{index}]"));
    }
    for (index, source) in meta::items(&container["envFrom"]).iter().enumerate() {
        check_source(checks, source, at, index);
    }
    check_mounts(checks, container, &format!("{at}.volumeMounts"), volumes);
    checks.known(
        format!("{at}.imagePullPolicy"),
        &container["imagePullPolicy"],
        &["Always", "IfNotPresent", "Never"],
    );
    check_resources(checks, &container["resources"], &format!("{at}.resources"));
    check_security(checks, &container["securityContext"], &format!("{at}.securityContext"));
}

fn check_ports(checks: &mut Checks, container: &Value, at: &str) {
    let mut names = BTreeSet::new();
    for (index, port) in meta::items(&container["ports"]).iter().enumerate() {
        let at = format!("{at}[{index}]");
        let name = text(&port["name"]);
        if !name.is_empty() {
            let faults = syntax::port_name(name);
            if faults.is_empty() && !names.insert(name) {
                checks.push(FieldError::duplicate(format!("{at}.name"), &json!(name)));
            }
            for fault in faults {
                checks.invalid(format!("{at}.name"), &json!(name), &fault);
            }
        }
        match port["containerPort"].as_i64() {
            None | Some(0) => checks.required(format!("{at}.containerPort"), ""),
            Some(_) => checks.port(format!("{at}.containerPort"), &port["containerPort"]),
        }
        if port["hostPort"].as_i64().is_some_and(|number| number != 0) {
            checks.port(format!("{at}.hostPort"), &port["hostPort"]);
        }
        match text(&port["protocol"]) {
            "" => checks.required(format!("{at}.protocol"), ""),
            _ => checks.known(format!("{at}.protocol"), &port["protocol"], &PROTOCOLS),
        }
    }
}

fn check_host_ports(checks: &mut Checks, container: &Value, at: &str, taken: &mut BTreeSet<String>) {
    for (index, port) in meta::items(&container["ports"]).iter().enumerate() {
        let Some(number) = port["hostPort"].as_i64().filter(|number| *number != 0) else { continue };
        let shown = format!("{}/{}/{number}", text(&port["protocol"]), text(&port["hostIP"]));
        if !taken.insert(shown.clone()) {
            checks.push(FieldError::duplicate(format!("{at}.ports[{index}].hostPort"), &json!(shown)));
        }
    }
}

fn check_variable(checks: &mut Checks, variable: &Value, at: &str) {
    if checks.present(format!("{at}.name"), &variable["name"]) {
        checks.form(&format!("{at}.name"), text(&variable["name"]), syntax::variable);
    }
    let source = &variable["valueFrom"];
    if !source.is_object() {
        return;
    }
    let at = format!("{at}.valueFrom");
    let kinds = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
    let count = kinds.iter().filter(|kind| source[**kind].is_object()).count();
    if source["fieldRef"].is_object() {
        check_field(checks, text(&source["fieldRef"]["fieldPath"]), &format!("{at}.fieldRef.fieldPath"));
    }
    if source["resourceFieldRef"].is_object() {
        check_resource_field(checks, &source["resourceFieldRef"], &format!("{at}.resourceFieldRef"));
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        let key = &source[kind];
        if key.is_object() {
            checks.form(&format!("{at}.{kind}.name"), text(&key["name"]), syntax::subdomain);
            checks.named(&format!("{at}.{kind}.key"), &key["key"], syntax::config_key);
        }
    }
    let has_value = !text(&variable["value"]).is_empty();
    if count == 0 {
        let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
            `fileKeyRef`";
        checks.invalid(at, &json!(""), detail);
    } else if has_value {
        checks.invalid(at, &json!(""), "may not be specified when `value` is not empty");
    } else if count > 1 {
        checks.invalid(at, &json!(""), "may not have more than one field specified at a time");
    }
}

fn check_field(checks: &mut Checks, path: &str, at: &str) {
    let keyed = ["metadata.annotations['", "metadata.labels['"].iter().any(|start| path.starts_with(start));
    if path.is_empty() {
        checks.required(at, "");
    } else if !keyed && !FIELDS[..9].contains(&path) {
        let detail = format!("error converting fieldPath: field label not supported: {path}");
        checks.invalid(at, &json!(path), &detail);
    }
}

fn check_resource_field(checks: &mut Checks, source: &Value, at: &str) {
    const KNOWN: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let resource = text(&source["resource"]);
    let is_huge =
        ["limits.hugepages-", "requests.hugepages-"].iter().any(|start| resource.starts_with(start));
    if resource.is_empty() {
        checks.required(format!("{at}.resource"), "");
    } else if !is_huge {
        checks.known(format!("{at}.resource"), &source["resource"], &KNOWN);
    }
}

fn check_source(checks: &mut Checks, source: &Value, at: &str, index: usize) {
    let place = format!("{at}.envFrom[{index}]");
    if !text(&source["prefix"]).is_empty() {
        checks.form(&format!("{place}.prefix"), text(&source["prefix"]), syntax::variable);
    }
    let mut count = 0;
    for kind in ["configMapRef", "secretRef"].into_iter().filter(|kind| source[*kind].is_object()) {
        count += 1;
        checks.form(&format!("{place}.{kind}.name"), text(&source[kind]["name"]), syntax::subdomain);
    }
    match count {
        0 => checks.invalid(
            format!("{at}.envFrom"),
            &json!(""),
            "must specify one of: `configMapRef` or `secretRef`",
        ),
        1 => {}
        _ => checks.invalid(
            format!("{at}.envFrom"),
            &json!(""),
            "may not have more than one field specified at a time",
        ),
    }
}

fn check_mounts(checks: &mut Checks, container: &Value, at: &str, volumes: &[&str]) {
    let mut paths = BTreeSet::new();
    for (index, mount) in meta::items(&container["volumeMounts"]).iter().enumerate() {
        let place = format!("{at}[{index}]");
        let name = text(&mount["name"]);
        if name.is_empty() {
            checks.required(format!("{place}.name"), "");
        }
        if !volumes.contains(&name) {
            checks.push(FieldError::not_found(format!("{place}.name"), &json!(name)));
        }
        let path = text(&mount["mountPath"]);
        if path.is_empty() {
            checks.required(format!("{place}.mountPath"), "");
        }
        if !paths.insert(path) {
            checks.invalid(format!("{place}.mountPath"), &json!(path), "must be unique");
        }
        let (sub, expression) = (text(&mount["subPath"]), text(&mount["subPathExpr"]));
        if !sub.is_empty() {
            local_path(checks, sub, &format!("{at}.subPath"));
        }
        if !expression.is_empty() {
            if !sub.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                checks.invalid(format!("{place}.subPathExpr"), &json!(expression), detail);
            }
            local_path(checks, expression, &format!("{at}.subPathExpr"));
        }
    }
}

/// A path below another one, that does not leave it.
pub(super) fn local_path(checks: &mut Checks, path: &str, at: &str) {
    if path.starts_with('/') {
        checks.invalid(at, &json!(path), "must be a relative path");
    }
    no_way_up(checks, path, at);
}

/// A path without `..`.
pub(super) fn no_way_up(checks: &mut Checks, path: &str, at: &str) {
    if path.split('/').any(|part| part == "..") {
        checks.invalid(at, &json!(path), "must not contain '..'");
    }
}

fn check_resources(checks: &mut Checks, resources: &Value, at: &str) {
    let (requests, limits) = (&resources["requests"], &resources["limits"]);
    for (field, amounts) in [("limits", limits), ("requests", requests)] {
        for (name, value) in entries(amounts) {
            let path = format!("{at}.{field}[{name}]");
            resource_name(checks, name, &path);
            resource_amount(checks, name, value, &path);
            if field == "requests" {
                check_request(checks, (name, value), &limits[name], &format!("{at}.requests"));
            }
        }
    }
    let names = || entries(limits).chain(entries(requests)).map(|(name, _)| name.as_str());
    let has_huge = names().any(|name| name.starts_with("hugepages-"));
    if has_huge && !names().any(|name| matches!(name, "cpu" | "memory")) {
        checks.forbidden(at, "HugePages require cpu or memory");
    }
}

fn check_request(checks: &mut Checks, (name, request): (&str, &Value), limit: &Value, at: &str) {
    let may_exceed = !name.contains('/') && !name.starts_with("hugepages-");
    if limit.is_null() {
        if !may_exceed {
            checks.required(
                at.replace(".requests", ".limits"),
                "Limit must be set for non overcommitable resources",
            );
        }
        return;
    }
    let (Some(asked), Some(most)) = (amount(request), amount(limit)) else { return };
    if asked != most && !may_exceed {
        checks.invalid(at, request, &format!("must be equal to {name} limit of {most}"));
    } else if asked > most {
        checks.invalid(at, request, &format!("must be less than or equal to {name} limit of {most}"));
    }
}

/// The name of a resource that a container may ask for.
pub(super) fn resource_name(checks: &mut Checks, name: &str, at: &str) {
    let is_standard =
        matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    let faults = syntax::qualified(name);
    if is_standard {
        return;
    }
    if !faults.is_empty() {
        return faults.iter().for_each(|fault| checks.invalid(at, &json!(name), fault));
    }
    if !name.contains('/') {
        checks.invalid(at, &json!(name), "must be a standard resource type or fully qualified");
        checks.invalid(at, &json!(name), "must be a standard resource for containers");
    }
}

fn resource_amount(checks: &mut Checks, name: &str, value: &Value, at: &str) {
    if is_negative(value) {
        checks.invalid(at, value, "must be greater than or equal to 0");
    }
    if name.contains('/') && is_fractional(value) {
        checks.invalid(at, value, "must be an integer");
    }
    if let Some(size) = name.strip_prefix("hugepages-").map(|size| json!(size)) {
        let count = |value: &Value| amount(value).map(|amount| amount.to_string());
        let (page, asked) = (bytes(&size), bytes(value));
        let is_multiple = page.zip(asked).is_some_and(|(page, asked)| page > 0 && asked % page == 0);
        if !is_multiple && let Some(shown) = count(value) {
            checks.invalid(at, value, &format!("{shown} is not positive integer multiple of {name}"));
        }
    }
}

fn bytes(value: &Value) -> Option<u64> {
    let text = value.as_str()?;
    let digits = text.trim_end_matches(char::is_alphabetic);
    let factor = match &text[digits.len()..] {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn check_hooks(checks: &mut Checks, container: &Value, at: &str) {
    for hook in ["postStart", "preStop"] {
        let hooks = &container["lifecycle"][hook];
        if hooks.is_object() {
            check_handler(checks, hooks, &format!("{at}.lifecycle.{hook}"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            check_probe(checks, &container[probe], probe, &format!("{at}.{probe}"));
        }
    }
}

fn forbid_hooks(checks: &mut Checks, container: &Value, at: &str) {
    for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        if container[field].is_object() {
            let detail = "may not be set for init containers without restartPolicy=Always";
            checks.forbidden(format!("{at}.{field}"), detail);
        }
    }
}

fn check_probe(checks: &mut Checks, probe: &Value, kind: &str, at: &str) {
    check_handler(checks, probe, at);
    for field in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        checks.not_negative(format!("{at}.{field}"), &probe[field]);
    }
    let grace = &probe["terminationGracePeriodSeconds"];
    if kind == "readinessProbe" {
        if !grace.is_null() {
            let detail = "must not be set for readinessProbes";
            checks.invalid(format!("{at}.terminationGracePeriodSeconds"), grace, detail);
        }
        return;
    }
    if grace.as_i64().is_some_and(|seconds| seconds <= 0) {
        checks.invalid(format!("{at}.terminationGracePeriodSeconds"), grace, "must be greater than 0");
    }
    if probe["successThreshold"].as_i64().is_some_and(|count| count != 1) {
        checks.invalid(format!("{at}.successThreshold"), &probe["successThreshold"], "must be 1");
    }
}

fn check_handler(checks: &mut Checks, handler: &Value, at: &str) {
    let mut count = 0;
    for kind in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"]
        .into_iter()
        .filter(|kind| handler[*kind].is_object())
    {
        let (action, at) = (&handler[kind], format!("{at}.{kind}"));
        count += 1;
        if count > 1 {
            checks.forbidden(at, "may not specify more than 1 handler type");
            continue;
        }
        match kind {
            "exec" if meta::items(&action["command"]).is_empty() => {
                checks.required(format!("{at}.command"), "");
            }
            "httpGet" => {
                checks.present(format!("{at}.path"), &action["path"]);
                checks.port_or_name(&format!("{at}.port"), &action["port"]);
                checks.known(format!("{at}.scheme"), &action["scheme"], &["HTTP", "HTTPS"]);
            }
            "tcpSocket" => checks.port_or_name(&format!("{at}.port"), &action["port"]),
            "grpc" => checks.port(format!("{at}.port"), &action["port"]),
            _ => {}
        }
    }
    if count == 0 {
        checks.required(at, "must specify a handler type");
    }
}

fn check_security(checks: &mut Checks, context: &Value, at: &str) {
    if !context.is_object() {
        return;
    }
    for field in ["runAsUser", "runAsGroup"] {
        checks.within(format!("{at}.{field}"), &context[field], 0..=i64::from(i32::MAX));
    }
    checks.known(format!("{at}.procMount"), &context["procMount"], &["Default", "Unmasked"]);
    seccomp(checks, &context["seccompProfile"], &format!("{at}.seccompProfile"));
    if context["allowPrivilegeEscalation"] == false {
        let added = meta::strings(&context["capabilities"]["add"]);
        let reason = if context["privileged"] == true {
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        } else if added.contains(&"CAP_SYS_ADMIN") {
            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        } else {
            return;
        };
        checks.push(FieldError::invalid_as(at, &internal_context(context), reason));
    }
}

// The context as Kubernetes' internal type shows it.
fn internal_context(context: &Value) -> String {
    let fields = [
        ("Capabilities", "capabilities"),
        ("Privileged", "privileged"),
        ("SELinuxOptions", "seLinuxOptions"),
        ("WindowsOptions", "windowsOptions"),
        ("RunAsUser", "runAsUser"),
        ("RunAsGroup", "runAsGroup"),
        ("RunAsNonRoot", "runAsNonRoot"),
        ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem"),
        ("AllowPrivilegeEscalation", "allowPrivilegeEscalation"),
        ("ProcMount", "procMount"),
        ("SeccompProfile", "seccompProfile"),
        ("AppArmorProfile", "appArmorProfile"),
    ];
    let shown: Vec<_> = fields.iter().map(|(name, field)| format!("{name:?}:{}", context[*field])).collect();
    format!("{{{}}}", shown.join(","))
}

/// The rules of a seccomp profile, if there is one.
pub(super) fn seccomp(checks: &mut Checks, profile: &Value, at: &str) {
    if profile.is_object() {
        checks.known(format!("{at}.type"), &profile["type"], &["Localhost", "RuntimeDefault", "Unconfined"]);
        if profile["type"] == "Localhost" && text(&profile["localhostProfile"]).is_empty() {
            checks.required(format!("{at}.localhostProfile"), "must be set when seccomp type is Localhost");
        }
    }
}
