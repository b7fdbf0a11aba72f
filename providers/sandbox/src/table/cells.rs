//! The functions that `builtin.columns` names.

use serde_json::{Value, json};

use super::{network, pod, text, workload};
use crate::meta;

/// Makes a cell of an object and the arguments that the column gives.
pub(super) type Function = fn(&Value, &[String]) -> Value;

/// The function of a name.
pub(super) fn function(name: &str) -> Option<Function> {
    let function: Function = match name {
        "access-modes" => |o, paths| json!(access_modes(at(o, paths))),
        "age" => |o, _| json!(text::since(o.pointer("/metadata/creationTimestamp"), "<unknown>")),
        "address-parent" => |o, _| json!(network::address_parent(o)),
        "api-available" => |o, _| json!(api_available(o)),
        "api-service" => |o, _| json!(api_service(o)),
        "balancer-address" => |o, _| json!(network::balancer_address(o)),
        "certificate-status" => |o, _| json!(certificate_status(o)),
        "claim-state" => |o, _| json!(claim_state(o)),
        "class-parameters" => |o, _| json!(network::class_parameters(o)),
        "condition" => |o, kinds| json!(condition_status(o, argument(kinds))),
        "containers" => |o, fields| json!(workload::containers(o, argument(fields))),
        "controller" => |o, _| json!(workload::controller(o)),
        "count" => |o, paths| json!(paths.iter().map(|path| count(o.pointer(path))).sum::<usize>()),
        "default-name" => |o, _| json!(default_name(o)),
        "endpoints" => |o, _| json!(network::endpoints(o)),
        "event-count" => |o, _| event_count(o),
        "event-source" => |o, _| json!(event_source(o)),
        "first-seen" => |o, _| json!(first_seen(o)),
        "ingress-hosts" => |o, _| json!(network::ingress_hosts(o)),
        "ingress-ports" => |o, _| json!(if count(o.pointer("/spec/tls")) == 0 { "80" } else { "80, 443" }),
        "involved" => |o, _| json!(involved(o)),
        "job-completions" => |o, _| json!(workload::completions(o)),
        "job-duration" => |o, _| json!(workload::job_duration(o)),
        "job-status" => |o, _| json!(workload::job_status(o)),
        "joined" => |o, paths| json!(joined(at(o, paths))),
        "joined-or-none" => |o, paths| json!(text::or_none(joined(at(o, paths)))),
        "labels" => |o, paths| json!(text::labels(at(o, paths))),
        "last-seen" => |o, _| json!(last_seen(o)),
        "node-address" => |o, kinds| json!(network::node_address(o, argument(kinds))),
        "node-kernel" => |o, _| json!(node_kernel(o)),
        "node-roles" => |o, _| json!(node_roles(o)),
        "node-status" => |o, _| json!(node_status(o)),
        "param-kind" => |o, _| json!(param_kind(o)),
        "param-reference" => |o, _| json!(param_reference(o)),
        "phase" => |o, _| json!(phase(o)),
        "pod-ready" => |o, _| json!(pod::summary(o).ready),
        "pod-restarts" => |o, _| json!(pod::summary(o).restarts),
        "pod-status" => |o, _| json!(pod::summary(o).status),
        "quota-limits" => |o, _| json!(quota(o, true)),
        "quota-requests" => |o, _| json!(quota(o, false)),
        "readiness-gates" => |o, _| json!(pod::readiness_gates(o)),
        "ready-replicas" => |o, _| json!(workload::ready_replicas(o)),
        "scaling-targets" => |o, _| json!(workload::scaling_targets(o)),
        "seconds" => |o, paths| json!(seconds(at(o, paths))),
        "selector" => |o, paths| json!(text::selector(at(o, paths))),
        "service-address" => |o, _| json!(network::service_address(o)),
        "service-ports" => |o, _| json!(network::service_ports(o)),
        "since" => |o, paths| json!(text::since(at(o, paths), "<none>")),
        "slashed" => |o, paths| json!(slashed(o, paths)),
        "slice-addresses" => |o, _| json!(network::slice_addresses(o)),
        "slice-ports" => |o, _| json!(network::slice_ports(o)),
        "subjects" => |o, kinds| json!(subjects(o, argument(kinds))),
        "suspended" => |o, _| json!(suspended(o)),
        "token-audiences" => |o, _| json!(token_audiences(o)),
        _ => return None,
    };
    Some(function)
}

fn condition_status<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition(object, kind).map_or("?", |found| string(&found["status"]))
}

fn phase(object: &Value) -> &str {
    if meta::is_terminating(object) { "Terminating" } else { string(&object["status"]["phase"]) }
}

fn seconds(value: Option<&Value>) -> String {
    value.and_then(Value::as_i64).map_or_else(|| "<none>".to_owned(), text::duration)
}

fn at<'a>(object: &'a Value, paths: &[String]) -> Option<&'a Value> {
    object.pointer(argument(paths)).filter(|found| !found.is_null())
}

fn argument(arguments: &[String]) -> &str {
    arguments.first().map_or("", String::as_str)
}

/// The text of a value, or an empty one.
pub(super) fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The condition of a type, if the object has it.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    meta::items(&object["status"]["conditions"]).iter().find(|condition| condition["type"] == kind)
}

/// How many entries a list or a map has.
pub(super) fn count(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(entries)) => entries.len(),
        _ => 0,
    }
}

fn joined(list: Option<&Value>) -> String {
    list.map(meta::strings).unwrap_or_default().join(",")
}

fn slashed(object: &Value, paths: &[String]) -> String {
    let parts: Vec<_> = paths.iter().filter_map(|path| object.pointer(path)).map(string).collect();
    parts.join("/")
}

fn access_modes(modes: Option<&Value>) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let modes = modes.map(meta::strings).unwrap_or_default();
    let found = SHORT.iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| *short);
    found.collect::<Vec<_>>().join(",")
}

fn default_name(object: &Value) -> String {
    const MARKS: [&str; 3] = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
        "ingressclass.kubernetes.io/is-default-class",
    ];
    let is_default = MARKS.iter().any(|mark| meta::annotation(object, mark) == Some("true"));
    format!("{}{}", meta::name(object), if is_default { " (default)" } else { "" })
}

fn api_service(object: &Value) -> String {
    match &object["spec"]["service"] {
        Value::Null => "Local".to_owned(),
        service => format!("{}/{}", string(&service["namespace"]), string(&service["name"])),
    }
}

fn api_available(object: &Value) -> String {
    let Some(found) = condition(object, "Available") else { return "Unknown".to_owned() };
    match (string(&found["status"]), string(&found["reason"])) {
        (status @ "True", _) | (status, "") => status.to_owned(),
        (status, reason) => format!("{status} ({reason})"),
    }
}

fn certificate_status(object: &Value) -> String {
    let has = |kind| condition(object, kind).is_some();
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !string(&object["status"]["certificate"]).is_empty() {
        status.push_str(",Issued");
    }
    status
}

fn claim_state(object: &Value) -> String {
    let is_allocated = !object["status"]["allocation"].is_null();
    let is_reserved = is_allocated && count(object.pointer("/status/reservedFor")) > 0;
    let is_deleted = meta::is_terminating(object);
    let states = [
        (is_deleted, "deleted"),
        (!is_allocated && !is_deleted, "pending"),
        (is_allocated, "allocated"),
        (is_reserved, "reserved"),
    ];
    states.iter().filter(|(holds, _)| *holds).map(|(_, state)| *state).collect::<Vec<_>>().join(",")
}

// The two views of an event name some fields differently.
fn either<'a>(object: &'a Value, core: &str, events: &str) -> &'a Value {
    if object[core].is_null() { &object[events] } else { &object[core] }
}

fn first_seen(object: &Value) -> String {
    let first = either(object, "firstTimestamp", "deprecatedFirstTimestamp");
    text::since(Some(if first.is_null() { &object["eventTime"] } else { first }), "<unknown>")
}

fn last_seen(object: &Value) -> String {
    let series = &object["series"]["lastObservedTime"];
    let last = either(object, "lastTimestamp", "deprecatedLastTimestamp");
    match (series, last) {
        (Value::Null, Value::Null) => first_seen(object),
        (Value::Null, last) => text::since(Some(last), "<unknown>"),
        (series, _) => text::since(Some(series), "<unknown>"),
    }
}

fn event_count(object: &Value) -> Value {
    let known = [&object["series"]["count"], either(object, "count", "deprecatedCount")];
    known.into_iter().find(|count| !count.is_null()).cloned().unwrap_or_else(|| json!(1))
}

fn event_source(object: &Value) -> String {
    let source = either(object, "source", "deprecatedSource");
    let first = |one, other| if string(one).is_empty() { string(other) } else { string(one) };
    let reporter = either(object, "reportingComponent", "reportingController");
    let (component, host) =
        (first(&source["component"], reporter), first(&source["host"], &object["reportingInstance"]));
    if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") }
}

fn involved(object: &Value) -> String {
    let involved = either(object, "involvedObject", "regarding");
    let (kind, name) = (string(&involved["kind"]).to_lowercase(), string(&involved["name"]));
    if name.is_empty() { kind } else { format!("{kind}/{name}") }
}

fn node_status(object: &Value) -> String {
    let ready = match condition(object, "Ready").map(|ready| string(&ready["status"])) {
        None => "Unknown",
        Some("True") => "Ready",
        Some(_) => "NotReady",
    };
    let cordoned = if object["spec"]["unschedulable"] == true { ",SchedulingDisabled" } else { "" };
    format!("{ready}{cordoned}")
}

fn node_roles(object: &Value) -> String {
    let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
    let role = |(key, value): (&String, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => Some(string(value).to_owned()),
        None => None,
    };
    let mut roles: Vec<String> = labels.filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.sort();
    text::or_none(roles.join(","))
}

fn node_kernel(object: &Value) -> String {
    let info = &object["status"]["nodeInfo"];
    let kernel = match string(&info["kernelVersion"]) {
        "" => "<unknown>",
        version => version,
    };
    match string(&info["architecture"]) {
        "" => kernel.to_owned(),
        architecture => format!("{kernel} ({architecture})"),
    }
}

fn param_kind(object: &Value) -> String {
    match &object["spec"]["paramKind"] {
        Value::Null => "<unset>".to_owned(),
        kind => format!("{}/{}", string(&kind["apiVersion"]), string(&kind["kind"])),
    }
}

fn param_reference(object: &Value) -> String {
    let reference = &object["spec"]["paramRef"];
    match (string(&reference["name"]), string(&reference["namespace"])) {
        ("", _) if reference["selector"].is_object() => text::selector(Some(&reference["selector"])),
        ("", _) => "<unset>".to_owned(),
        (name, "") => format!("*/{name}"),
        (name, namespace) => format!("{namespace}/{name}"),
    }
}

fn quota(object: &Value, of_limits: bool) -> String {
    let hard = object["status"]["hard"].as_object().into_iter().flatten();
    let wanted = hard.filter(|(name, _)| name.starts_with("limits.") == of_limits);
    let used = |name: &str| object["status"]["used"][name].as_str().unwrap_or("0").to_owned();
    let mut texts: Vec<_> =
        wanted.map(|(name, hard)| format!("{name}: {}/{}", used(name), string(hard))).collect();
    texts.sort();
    texts.join(", ")
}

fn subjects(object: &Value, kind: &str) -> String {
    let wanted = meta::items(&object["subjects"]).iter().filter(|subject| subject["kind"] == kind);
    let shown = wanted.map(|subject| match kind {
        "ServiceAccount" => format!("{}/{}", string(&subject["namespace"]), string(&subject["name"])),
        _ => string(&subject["name"]).to_owned(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn suspended(object: &Value) -> &'static str {
    match object["spec"]["suspend"].as_bool() {
        None => "<unset>",
        Some(true) => "True",
        Some(false) => "False",
    }
}

fn token_audiences(object: &Value) -> String {
    match &object["spec"]["tokenRequests"] {
        Value::Null => "<unset>".to_owned(),
        requests => {
            let audiences = meta::items(requests).iter().map(|request| string(&request["audience"]));
            audiences.collect::<Vec<_>>().join(",")
        }
    }
}
