//! Rules of Services.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/>

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::syntax;
use crate::error::FieldError;
use crate::meta;

/// The rules of a Service. What concerns its addresses is checked before all else, as they are allocated.
pub(super) fn check(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    let found = Checks::run(|checks| families(checks, spec));
    if !found.is_empty() {
        return checks.extend(found);
    }
    let kind = text(&spec["type"]);
    let ports = meta::items(&spec["ports"]);
    if ports.is_empty() && spec["clusterIP"] != "None" && kind != "ExternalName" {
        checks.required("spec.ports", "");
    }
    match kind {
        "LoadBalancer" if spec["clusterIP"] == "None" => {
            let detail = "may not be set to 'None' for LoadBalancer services";
            checks.invalid("spec.clusterIPs[0]", &json!("None"), detail);
        }
        "NodePort" if spec["clusterIP"] == "None" => {
            let detail = "may not be set to 'None' for NodePort services";
            checks.invalid("spec.clusterIPs[0]", &json!("None"), detail);
        }
        "ExternalName" => external_name(checks, spec),
        _ => {}
    }
    check_ports(checks, ports);
    checks.labels("spec.selector", &spec["selector"]);
    affinity(checks, spec);
    addresses(checks, spec);
    checks.known("spec.type", &spec["type"], &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    for (index, port) in ports.iter().enumerate() {
        if kind == "ClusterIP" && port["nodePort"].as_i64().is_some_and(|number| number != 0) {
            let detail = "may not be used when `type` is 'ClusterIP'";
            checks.forbidden(format!("spec.ports[{index}].nodePort"), detail);
        }
    }
    unique_ports(checks, ports);
    balancing(checks, spec, kind);
}

fn families(checks: &mut Checks, spec: &Value) {
    if spec["type"] == "ExternalName" {
        return;
    }
    for (index, family) in meta::items(&spec["ipFamilies"]).iter().enumerate() {
        checks.known(format!("spec.ipFamilies[{index}]"), family, &["IPv4", "IPv6"]);
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    checks.known("spec.ipFamilyPolicy", &spec["ipFamilyPolicy"], &policies);
    for (index, address) in meta::strings(&spec["clusterIPs"]).into_iter().enumerate() {
        if address != "None" {
            checks.form(&format!("spec.clusterIPs[{index}]"), address, syntax::address);
        }
    }
    let is_open =
        spec["clusterIP"] == "None" && spec["selector"].as_object().is_none_or(serde_json::Map::is_empty);
    if is_open {
        return;
    }
    if spec["ipFamilyPolicy"] == "RequireDualStack" {
        let detail = "this cluster is not configured for dual-stack services";
        checks.invalid("spec.ipFamilyPolicy", &spec["ipFamilyPolicy"], detail);
    }
    for (index, family) in meta::items(&spec["ipFamilies"]).iter().enumerate() {
        if family == "IPv6" {
            checks.invalid(format!("spec.ipFamilies[{index}]"), family, "not configured on this cluster");
        }
    }
}

fn external_name(checks: &mut Checks, spec: &Value) {
    if !meta::items(&spec["clusterIPs"]).is_empty() || !text(&spec["clusterIP"]).is_empty() {
        checks.forbidden("spec.clusterIPs", "may not be set for ExternalName services");
    }
    for field in ["ipFamilies", "ipFamilyPolicy"] {
        if !spec[field].is_null() {
            checks.forbidden(format!("spec.{field}"), "may not be set for ExternalName services");
        }
    }
    let name = text(&spec["externalName"]).trim_end_matches('.');
    if name.is_empty() {
        checks.required("spec.externalName", "");
    } else {
        checks.form("spec.externalName", name, syntax::subdomain);
    }
}

fn check_ports(checks: &mut Checks, ports: &[Value]) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{index}]");
        let name = text(&port["name"]);
        if name.is_empty() && ports.len() > 1 {
            checks.required(format!("{at}.name"), "");
        } else if !name.is_empty() {
            checks.form(&format!("{at}.name"), name, syntax::label);
            if !names.insert(name) {
                checks.push(FieldError::duplicate(format!("{at}.name"), &json!(name)));
            }
        }
        checks.port(format!("{at}.port"), &port["port"]);
        checks.known(format!("{at}.protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
        checks.port_or_name(&format!("{at}.targetPort"), &port["targetPort"]);
        if let Some(protocol) = port["appProtocol"].as_str() {
            checks.form(&format!("{at}.appProtocol"), protocol, syntax::qualified);
        }
    }
}

// A port is known by its number and protocol. The message shows no more of it than that, in the form of Kubernetes'
// internal type.
fn unique_ports(checks: &mut Checks, ports: &[Value]) {
    for (index, port) in ports.iter().enumerate() {
        let is_same = |other: &Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        if ports[..index].iter().any(is_same) {
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                port["protocol"], port["port"]
            );
            checks.push(FieldError::duplicate_as(format!("spec.ports[{index}]"), &shown));
        }
    }
}

fn affinity(checks: &mut Checks, spec: &Value) {
    checks.known("spec.sessionAffinity", &spec["sessionAffinity"], &["ClientIP", "None"]);
    let seconds = &spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
    if spec["sessionAffinity"] == "ClientIP"
        && seconds.as_i64().is_some_and(|time| !(1..=86_400).contains(&time))
    {
        let detail = "must be greater than 0 and less than 86400";
        checks.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, detail);
    }
}

fn addresses(checks: &mut Checks, spec: &Value) {
    for (index, address) in meta::strings(&spec["externalIPs"]).into_iter().enumerate() {
        let at = format!("spec.externalIPs[{index}]");
        checks.form(&at, address, syntax::address);
        reachable(checks, &at, address);
    }
}

/// An address that means the same to everyone.
pub(super) fn reachable(checks: &mut Checks, at: &str, text: &str) {
    let Ok(address) = text.parse::<IpAddr>() else { return };
    let is_link_local = matches!(address, IpAddr::V4(address) if address.is_link_local());
    let detail = if address.is_unspecified() {
        format!("may not be unspecified ({text})")
    } else if address.is_loopback() {
        "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()
    } else if is_link_local {
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()
    } else {
        return;
    };
    checks.invalid(at, &json!(text), &detail);
}

fn balancing(checks: &mut Checks, spec: &Value, kind: &str) {
    for (index, range) in meta::strings(&spec["loadBalancerSourceRanges"]).into_iter().enumerate() {
        // Kubernetes writes this field with a capital letter here.
        checks.form(&format!("spec.LoadBalancerSourceRanges[{index}]"), range, syntax::network);
    }
    if kind != "LoadBalancer" {
        for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if !spec[field].is_null() {
                checks.forbidden(format!("spec.{field}"), "may only be used when `type` is 'LoadBalancer'");
            }
        }
    } else if let Some(class) = spec["loadBalancerClass"].as_str() {
        checks.form("spec.loadBalancerClass", class, syntax::qualified);
    }
    let policy = &spec["externalTrafficPolicy"];
    let is_reachable =
        matches!(kind, "NodePort" | "LoadBalancer") || !meta::items(&spec["externalIPs"]).is_empty();
    if is_reachable {
        checks.known("spec.externalTrafficPolicy", policy, &["Cluster", "Local"]);
    } else if !text(policy).is_empty() {
        checks.invalid(
            "spec.externalTrafficPolicy",
            policy,
            "may only be set for externally-accessible services",
        );
    }
    checks.known("spec.internalTrafficPolicy", &spec["internalTrafficPolicy"], &["Cluster", "Local"]);
}

/// Only a load balancer has addresses.
pub(super) fn status(object: &Value) -> Option<FieldError> {
    let has_addresses = !meta::items(&object["status"]["loadBalancer"]["ingress"]).is_empty();
    (has_addresses && object["spec"]["type"] != "LoadBalancer").then(|| {
        let detail = "may only be used when `spec.type` is 'LoadBalancer'";
        FieldError::forbidden("status.loadBalancer.ingress", detail)
    })
}

/// The address that a Service has stays, and so does who balances its load.
pub(super) fn check_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let address = |object: &Value| text(&object["spec"]["clusterIP"]).to_owned();
    let is_external = |object: &Value| object["spec"]["type"] == "ExternalName";
    if !is_external(live) && !is_external(object) && address(live) != address(object) {
        let shown = json!([address(object)]);
        checks.invalid("spec.clusterIPs[0]", &shown, "may not change once set");
    }
    let class = |object: &Value| object["spec"]["loadBalancerClass"].clone();
    let is_balanced = |object: &Value| object["spec"]["type"] == "LoadBalancer";
    if is_balanced(live) && is_balanced(object) && class(live) != class(object) {
        checks.invalid("spec.loadBalancerClass", &class(object), "may not change once set");
    }
}
