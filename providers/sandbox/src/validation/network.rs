//! Rules of Ingresses, their classes, `NetworkPolicies` and `EndpointSlices`.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/service-resources/> and
//! <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/>

use std::net::IpAddr;

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::{services, syntax};
use crate::error::FieldError;
use crate::meta;

/// The rules of an Ingress.
pub(super) fn ingress(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    let rules = meta::items(&spec["rules"]);
    if rules.is_empty() && !spec["defaultBackend"].is_object() {
        checks.invalid("spec", &Value::Null, "either `defaultBackend` or `rules` must be specified");
    }
    if spec["defaultBackend"].is_object() {
        backend(checks, &spec["defaultBackend"], "spec.defaultBackend");
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = format!("spec.rules[{index}]");
        let host = text(&rule["host"]);
        if !host.is_empty() {
            if host.parse::<IpAddr>().is_ok() {
                checks.invalid(format!("{at}.host"), &json!(host), "must be a DNS name, not an IP address");
            } else {
                domain(checks, &format!("{at}.host"), host);
            }
        }
        if rule["http"].is_object() {
            paths(checks, &rule["http"]["paths"], &format!("{at}.http.paths"));
        }
    }
    for (index, tls) in meta::items(&spec["tls"]).iter().enumerate() {
        let at = format!("spec.tls[{index}]");
        for (place, host) in meta::strings(&tls["hosts"]).into_iter().enumerate() {
            domain(checks, &format!("{at}.hosts[{place}]"), host);
        }
        if !text(&tls["secretName"]).is_empty() {
            checks.form(&format!("{at}.secretName"), text(&tls["secretName"]), syntax::subdomain);
        }
    }
    if let Some(class) = spec["ingressClassName"].as_str() {
        checks.form("spec.ingressClassName", class, syntax::subdomain);
    }
}

fn domain(checks: &mut Checks, at: &str, host: &str) {
    checks.form(at, host, if host.contains('*') { syntax::wildcard } else { syntax::subdomain });
}

fn paths(checks: &mut Checks, list: &Value, at: &str) {
    if meta::items(list).is_empty() {
        checks.required(at, "");
    }
    for (index, entry) in meta::items(list).iter().enumerate() {
        let at = format!("{at}[{index}]");
        let path = text(&entry["path"]);
        match entry["pathType"].as_str() {
            None => checks.required(format!("{at}.pathType"), "pathType must be specified"),
            Some("Exact" | "Prefix") => absolute(checks, path, &format!("{at}.path")),
            Some("ImplementationSpecific") => {
                if !path.is_empty() && !path.starts_with('/') {
                    checks.invalid(format!("{at}.path"), &json!(path), "must be an absolute path");
                }
            }
            Some(_) => {
                let known = ["Exact", "ImplementationSpecific", "Prefix"];
                checks.unsupported(format!("{at}.pathType"), &entry["pathType"], &known);
            }
        }
        backend(checks, &entry["backend"], &format!("{at}.backend"));
    }
}

fn absolute(checks: &mut Checks, path: &str, at: &str) {
    if !path.starts_with('/') {
        checks.invalid(at, &json!(path), "must be an absolute path");
        return;
    }
    for part in ["//", "/./", "/../", "%2f", "%2F"].into_iter().filter(|part| path.contains(part)) {
        checks.invalid(at, &json!(path), &format!("must not contain '{part}'"));
    }
    for end in ["/..", "/."].into_iter().filter(|end| path.ends_with(end)) {
        checks.invalid(at, &json!(path), &format!("cannot end with '{end}'"));
    }
}

fn backend(checks: &mut Checks, backend: &Value, at: &str) {
    match (backend["service"].is_object(), backend["resource"].is_object()) {
        (true, true) => checks.invalid(at, &json!(""), "cannot set both resource and service backends"),
        (false, false) => checks.invalid(at, &json!(""), "resource or service backend is required"),
        (false, true) => {
            let resource = &backend["resource"];
            checks.present(format!("{at}.resource.kind"), &resource["kind"]);
            checks.present(format!("{at}.resource.name"), &resource["name"]);
        }
        (true, false) => {
            let service = &backend["service"];
            checks.named(&format!("{at}.service.name"), &service["name"], syntax::label);
            let number = service["port"]["number"].as_i64().filter(|number| *number != 0);
            let name = text(&service["port"]["name"]);
            match (number, name) {
                (Some(_), name) if !name.is_empty() => {
                    checks.invalid(at, &json!(""), "cannot set both port name & port number");
                }
                (None, "") => checks.required(at, "port name or number is required"),
                (Some(_), _) => checks.port(format!("{at}.service.port.number"), &service["port"]["number"]),
                (None, name) => checks.form(&format!("{at}.service.port.name"), name, syntax::port_name),
            }
        }
    }
}

/// The rules of a class of Ingresses.
pub(super) fn ingress_class(checks: &mut Checks, object: &Value, live: Option<&Value>) {
    let spec = &object["spec"];
    checks.present("spec.controller", &spec["controller"]);
    let parameters = &spec["parameters"];
    if parameters.is_object() {
        checks.present("spec.parameters.kind", &parameters["kind"]);
        checks.present("spec.parameters.name", &parameters["name"]);
        checks.known("spec.parameters.scope", &parameters["scope"], &["Cluster", "Namespace"]);
    }
    if live.is_some_and(|live| live["spec"]["controller"] != spec["controller"]) {
        checks.invalid("spec.controller", &spec["controller"], "field is immutable");
    }
}

/// The rules of a `NetworkPolicy`.
pub(super) fn policy(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    checks.selector("spec.podSelector", &spec["podSelector"]);
    for (direction, other) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in meta::items(&spec[direction]).iter().enumerate() {
            let at = format!("spec.{direction}[{index}]");
            for (place, port) in meta::items(&rule["ports"]).iter().enumerate() {
                policy_port(checks, port, &format!("{at}.ports[{place}]"));
            }
            for (place, peer) in meta::items(&rule[other]).iter().enumerate() {
                policy_peer(checks, peer, &format!("{at}.{other}[{place}]"));
            }
        }
    }
    let types = meta::items(&spec["policyTypes"]);
    if types.len() > 2 {
        checks.invalid("spec.policyTypes", &spec["policyTypes"], "may not specify more than two policyTypes");
        return;
    }
    for (index, kind) in types.iter().enumerate() {
        checks.known(format!("spec.policyTypes[{index}]"), kind, &["Ingress", "Egress"]);
    }
}

fn policy_port(checks: &mut Checks, port: &Value, at: &str) {
    checks.known(format!("{at}.protocol"), &port["protocol"], &["TCP", "UDP", "SCTP"]);
    let (number, end) = (&port["port"], &port["endPort"]);
    if number.is_null() {
        if !end.is_null() {
            checks.invalid(format!("{at}.endPort"), end, "may not be specified when `port` is not specified");
        }
        return;
    }
    if number.is_string() {
        checks.port_or_name(&format!("{at}.port"), number);
        if !end.is_null() {
            checks.invalid(format!("{at}.endPort"), end, "may not be specified when `port` is non-numeric");
        }
        return;
    }
    checks.port(format!("{at}.port"), number);
    if let Some(last) = end.as_i64() {
        if number.as_i64().is_some_and(|first| last < first) {
            // The message shows the first port.
            checks.invalid(format!("{at}.endPort"), number, "must be greater than or equal to `port`");
        }
        checks.within(format!("{at}.endPort"), end, 1..=65535);
    }
}

fn policy_peer(checks: &mut Checks, peer: &Value, at: &str) {
    let mut count = 0;
    for field in ["podSelector", "namespaceSelector"].into_iter().filter(|field| peer[*field].is_object()) {
        count += 1;
        checks.selector(&format!("{at}.{field}"), &peer[field]);
    }
    let block = &peer["ipBlock"];
    if block.is_object() {
        count += 1;
        ip_block(checks, block, &format!("{at}.ipBlock"));
    }
    if count == 0 {
        checks.required(at, "must specify a peer");
    } else if count > 1 && block.is_object() {
        checks.forbidden(at, "may not specify both ipBlock and another peer");
    }
}

fn ip_block(checks: &mut Checks, block: &Value, at: &str) {
    let range = text(&block["cidr"]);
    if range.is_empty() {
        return checks.required(format!("{at}.cidr"), "");
    }
    checks.form(&format!("{at}.cidr"), range, syntax::network);
    let Some(outer) = syntax::split_network(range) else { return };
    for (index, hole) in meta::strings(&block["except"]).into_iter().enumerate() {
        let at = format!("{at}.except[{index}]");
        checks.form(&at, hole, syntax::network);
        if syntax::split_network(hole).is_some_and(|inner| !contains(outer, inner)) {
            checks.invalid(at, &json!(hole), "must be a strict subset of `cidr`");
        }
    }
}

fn contains((outer, length): (IpAddr, u32), (inner, longer): (IpAddr, u32)) -> bool {
    let starts_alike = match (outer, inner) {
        (IpAddr::V4(outer), IpAddr::V4(inner)) => {
            (u32::from(outer) ^ u32::from(inner)).checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(outer), IpAddr::V6(inner)) => {
            (u128::from(outer) ^ u128::from(inner)).checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    };
    starts_alike && longer > length
}

/// The rules of an `EndpointSlice`.
pub(super) fn endpoint_slice(checks: &mut Checks, object: &Value, live: Option<&Value>) {
    let kind = text(&object["addressType"]);
    if kind.is_empty() {
        checks.required("addressType", "");
    }
    checks.known("addressType", &object["addressType"], &["FQDN", "IPv4", "IPv6"]);
    for (index, endpoint) in meta::items(&object["endpoints"]).iter().enumerate() {
        let at = format!("endpoints[{index}].addresses");
        let addresses = meta::strings(&endpoint["addresses"]);
        if addresses.is_empty() {
            checks.required(&at, "must contain at least 1 address");
        }
        for (place, address) in addresses.into_iter().enumerate() {
            let at = format!("{at}[{place}]");
            if kind == "FQDN" {
                checks.form(&at, address, syntax::subdomain);
            } else {
                checks.form(&at, address, syntax::address);
                services::reachable(checks, &at, address);
            }
        }
    }
    let mut names = Vec::new();
    for (index, port) in meta::items(&object["ports"]).iter().enumerate() {
        let name = text(&port["name"]);
        if !name.is_empty() {
            checks.form(&format!("ports[{index}].name"), name, syntax::label);
        }
        if names.contains(&name) {
            checks.push(FieldError::duplicate(format!("ports[{index}].name"), &json!(name)));
        }
        names.push(name);
        checks.known(format!("ports[{index}].protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
    }
    if live.is_some_and(|live| live["addressType"] != object["addressType"]) {
        checks.invalid("addressType", &object["addressType"], "field is immutable");
    }
}
