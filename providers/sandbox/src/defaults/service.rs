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
    let has_external_addresses = spec.get("externalIPs").is_some_and(|list| !meta::items(list).is_empty());
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && has_external_addresses)
    {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if matches!(kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
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
        spec.remove("internalTrafficPolicy");
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
    // Who serves such a Service is not known, and may have addresses of both families.
    let is_open = spec["clusterIP"] == "None"
        && spec.get("selector").and_then(Value::as_object).is_none_or(Map::is_empty);
    set(spec, "ipFamilyPolicy", json!(if is_open { "RequireDualStack" } else { "SingleStack" }));
    let is_dual = is_open && spec["ipFamilyPolicy"] != "SingleStack";
    set(spec, "ipFamilies", if is_dual { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) });
    let wants_ports =
        kind == "NodePort" || (kind == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false);
    if wants_ports {
        allocate_node_ports(cluster, spec);
    }
    let is_checked =
        kind == "LoadBalancer" && spec.get("externalTrafficPolicy").is_some_and(|policy| policy == "Local");
    if is_checked && spec.get("healthCheckNodePort").is_none_or(|port| *port == 0) {
        let used = node_ports(cluster);
        let own: Vec<_> = spec.get("ports").map(ports_of).unwrap_or_default();
        let free = NODE_PORTS.clone().find(|number| !used.contains(number) && !own.contains(number));
        spec.insert("healthCheckNodePort".into(), json!(free.unwrap_or(0)));
    }
}

fn ports_of(ports: &Value) -> Vec<u64> {
    meta::items(ports).iter().filter_map(|port| port["nodePort"].as_u64()).collect()
}

// The node ports that are taken.
fn node_ports(cluster: &Cluster) -> BTreeSet<u64> {
    let services = cluster.store.list(&GroupResource::new("", "services"), "");
    let ports = services.flat_map(|service| {
        ports_of(&service["spec"]["ports"]).into_iter().chain(service["spec"]["healthCheckNodePort"].as_u64())
    });
    ports.collect()
}

fn allocate_node_ports(cluster: &Cluster, spec: &mut Map<String, Value>) {
    let mut used = node_ports(cluster);
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
    let has_address = |service: &Value| service["spec"]["type"] != "ExternalName";
    let balances = |service: &Value| service["spec"]["type"] == "LoadBalancer";
    let checks_health =
        |service: &Value| balances(service) && service["spec"]["externalTrafficPolicy"] == "Local";
    let no_longer = |needs: &dyn Fn(&Value) -> bool| needs(live) && !needs(object);
    // Ports may come, go and change places; one with a number of its own is meant.
    let live_ports = ports_of(&live["spec"]["ports"]);
    let asks_none =
        ports_of(&object["spec"]["ports"]).iter().all(|port| *port == 0 || live_ports.contains(port));
    let (free_ports, is_unbalanced) = (no_longer(&needs_node_ports) && asks_none, no_longer(&balances));
    let is_unaddressed = no_longer(&has_address);
    let fields = [
        ("clusterIP", is_unaddressed),
        ("clusterIPs", is_unaddressed),
        ("ipFamilies", is_unaddressed),
        ("ipFamilyPolicy", is_unaddressed),
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
