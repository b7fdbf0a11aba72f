//! Services: ports, addresses and node ports.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/services-networking/service/> and
//! <https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/>

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::set;
use crate::cluster::Cluster;
use crate::error::GroupResource;
use crate::meta;

/// The range of cluster addresses, 10.96.0.0/16: the network and how many addresses it has.
pub(crate) const CLUSTER_ADDRESSES: (u32, u32) = (0x0A60_0000, 1 << 16);

/// The lower part of the range, kept for addresses that are stated by hand.
const RESERVED: u32 = 256;

/// The node ports, as kube-apiserver hands them out by default.
pub(crate) const NODE_PORTS: std::ops::RangeInclusive<u64> = 30_000..=32_767;

/// Fills in the defaults of a Service.
pub(super) fn apply(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    set(spec, "sessionAffinity", json!("None"));
    set(spec, "type", json!("ClusterIP"));
    match spec["sessionAffinity"].as_str() {
        Some("None") => drop(spec.remove("sessionAffinityConfig")),
        Some("ClientIP") if spec.get("sessionAffinityConfig").is_none_or(has_no_timeout) => {
            spec.insert("sessionAffinityConfig".into(), json!({ "clientIP": { "timeoutSeconds": 10800 } }));
        }
        _ => {}
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let number = port["port"].clone();
        let Some(port) = port.as_object_mut() else { continue };
        set(port, "protocol", json!("TCP"));
        if port
            .get("targetPort")
            .is_none_or(|target| *target == json!(0) || *target == "" || target.is_null())
        {
            port.insert("targetPort".into(), number);
        }
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    let is_external = kind == "ClusterIP"
        && spec.get("externalIPs").and_then(Value::as_array).is_some_and(|addresses| !addresses.is_empty());
    if is_external || matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if kind != "ExternalName" {
        set(spec, "internalTrafficPolicy", json!("Cluster"));
    }
}

fn has_no_timeout(affinity: &Value) -> bool {
    affinity["clientIP"]["timeoutSeconds"].is_null()
}

/// Gives a Service its addresses and node ports; a changed one keeps those it has.
pub(super) fn allocate(cluster: &Cluster, live: Option<&Value>, object: &mut Value) {
    let kind = object["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    let services = GroupResource::new("", "services");
    if let Some(live) = live {
        keep(live, object);
        release(live, object);
    }
    let Some(spec) = meta::child(object, "spec") else { return };
    if kind == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            spec.remove(field);
        }
        return;
    }
    if spec.get("clusterIP").is_none_or(|address| address == "" || address.is_null()) {
        let stated = spec.get("clusterIPs").and_then(|list| list.get(0)).cloned();
        let used: BTreeSet<_> = cluster
            .store
            .list(&services, "")
            .filter_map(|service| service["spec"]["clusterIP"].as_str())
            .collect();
        let free = (RESERVED..CLUSTER_ADDRESSES.1 - 1)
            .map(|offset| Ipv4Addr::from(CLUSTER_ADDRESSES.0 + offset).to_string());
        let address = stated
            .or_else(|| free.into_iter().find(|address| !used.contains(address.as_str())).map(Value::from));
        spec.insert("clusterIP".into(), address.unwrap_or_default());
    }
    let address = spec["clusterIP"].clone();
    spec.insert("clusterIPs".into(), json!([address]));
    set(spec, "ipFamilies", json!(["IPv4"]));
    set(spec, "ipFamilyPolicy", json!("SingleStack"));
    let wants_ports =
        kind == "NodePort" || (kind == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false);
    if wants_ports {
        allocate_node_ports(cluster, spec);
    }
}

fn allocate_node_ports(cluster: &Cluster, spec: &mut Map<String, Value>) {
    let services = GroupResource::new("", "services");
    let ports = |service: &Value| -> Vec<u64> {
        meta::items(&service["spec"]["ports"]).iter().filter_map(|port| port["nodePort"].as_u64()).collect()
    };
    let mut used: BTreeSet<u64> =
        cluster.store.list(&services, "").flat_map(|service| ports(service)).collect();
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if port["nodePort"].as_u64().is_some_and(|number| number != 0) {
            continue;
        }
        let Some(free) = NODE_PORTS.clone().find(|number| !used.contains(number)) else { return };
        used.insert(free);
        port["nodePort"] = json!(free);
    }
}

// What the server chose stays unless the client states something else.
fn keep(live: &Value, object: &mut Value) {
    let had_address = object["spec"]["type"] != "ExternalName" && live["spec"]["type"] != "ExternalName";
    let Some(spec) = meta::child(object, "spec") else { return };
    if had_address {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if let Some(value) = live["spec"].get(field) {
                set(spec, field, value.clone());
            }
        }
    }
    let node_ports = matches!(spec.get("type").and_then(Value::as_str), Some("NodePort" | "LoadBalancer"));
    for port in
        spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten().filter(|_| node_ports)
    {
        let same = |old: &&Value| old["port"] == port["port"] && old["protocol"] == port["protocol"];
        let old = meta::items(&live["spec"]["ports"]).iter().find(same).map(|old| old["nodePort"].clone());
        if let (Some(old), true) = (old.filter(|old| !old.is_null()), port["nodePort"].is_null()) {
            port["nodePort"] = old;
        }
    }
}

/// Takes away what only the former type of a Service needed, where the client has left it as it was.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types>
fn release(live: &Value, object: &mut Value) {
    let needs_node_ports = |service: &Value| match service["spec"]["type"].as_str() {
        Some("NodePort") => true,
        Some("LoadBalancer") => service["spec"]["allocateLoadBalancerNodePorts"] != false,
        _ => false,
    };
    let is_external = |service: &Value| {
        let spec = &service["spec"];
        matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer"))
            || (spec["type"] == "ClusterIP" && !meta::items(&spec["externalIPs"]).is_empty())
    };
    let balances = |service: &Value| service["spec"]["type"] == "LoadBalancer";
    let checks_health =
        |service: &Value| balances(service) && service["spec"]["externalTrafficPolicy"] == "Local";
    let node_ports = |service: &Value| -> BTreeSet<u64> {
        meta::items(&service["spec"]["ports"]).iter().filter_map(|port| port["nodePort"].as_u64()).collect()
    };
    let no_longer = |needs: &dyn Fn(&Value) -> bool| needs(live) && !needs(object);
    let same_ports = node_ports(live) == node_ports(object);
    let (free_ports, is_unbalanced) = (no_longer(&needs_node_ports) && same_ports, no_longer(&balances));
    let fields = [
        ("healthCheckNodePort", no_longer(&checks_health)),
        ("allocateLoadBalancerNodePorts", is_unbalanced),
        ("loadBalancerClass", is_unbalanced),
        ("externalTrafficPolicy", no_longer(&is_external)),
    ];
    if is_unbalanced {
        object["status"]["loadBalancer"] = json!({});
    }
    let Some(spec) = meta::child(object, "spec") else { return };
    for (field, is_free) in fields {
        if is_free && spec.get(field) == live["spec"].get(field) {
            spec.remove(field);
        }
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut().filter(|_| free_ports) {
            port.remove("nodePort");
        }
    }
}
