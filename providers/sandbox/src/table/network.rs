//! Cells of what has an address.

use serde_json::Value;

use super::cells::string;
use super::text;
use crate::meta;

/// Where a Service is reached from outside.
pub(super) fn service_address(service: &Value) -> String {
    let own = meta::strings(&service["spec"]["externalIPs"]).join(",");
    match string(&service["spec"]["type"]) {
        "ExternalName" => string(&service["spec"]["externalName"]).to_owned(),
        "LoadBalancer" => {
            let parts = [balancer_address(service), own].into_iter().filter(|part| !part.is_empty());
            let address = parts.collect::<Vec<_>>().join(",");
            if address.is_empty() { "<pending>".to_owned() } else { address }
        }
        "ClusterIP" | "NodePort" => text::or_none(own),
        _ => "<unknown>".to_owned(),
    }
}

/// The addresses that a load balancer has given.
pub(super) fn balancer_address(object: &Value) -> String {
    let ingress = meta::items(&object["status"]["loadBalancer"]["ingress"]);
    let address = |entry: &Value| {
        let field = if string(&entry["ip"]).is_empty() { "hostname" } else { "ip" };
        string(&entry[field]).to_owned()
    };
    let mut addresses: Vec<_> = ingress.iter().map(address).filter(|address| !address.is_empty()).collect();
    addresses.sort();
    addresses.dedup();
    addresses.join(",")
}

/// The ports of a Service.
pub(super) fn service_ports(service: &Value) -> String {
    let ports = meta::items(&service["spec"]["ports"]).iter().map(|port| {
        let protocol = string(&port["protocol"]);
        match port["nodePort"].as_i64().filter(|number| *number > 0) {
            Some(node) => format!("{}:{node}/{protocol}", port["port"]),
            None => format!("{}/{protocol}", port["port"]),
        }
    });
    text::or_none(ports.collect::<Vec<_>>().join(","))
}

/// The first hosts of an Ingress.
pub(super) fn ingress_hosts(ingress: &Value) -> String {
    let rules = meta::items(&ingress["spec"]["rules"]);
    let mut hosts: Vec<&str> = Vec::new();
    let mut more = false;
    for host in rules.iter().map(|rule| string(&rule["host"])) {
        more |= hosts.len() == 3;
        if !more && !host.is_empty() {
            hosts.push(host);
        }
    }
    match (hosts.is_empty(), more) {
        (true, _) => "*".to_owned(),
        (false, false) => hosts.join(","),
        (false, true) => format!("{} + {} more...", hosts.join(","), rules.len().saturating_sub(3)),
    }
}

/// What configures a class of Ingresses.
pub(super) fn class_parameters(class: &Value) -> String {
    let parameters = &class["spec"]["parameters"];
    if parameters.is_null() {
        return "<none>".to_owned();
    }
    let group = parameters["apiGroup"].as_str().map(|group| format!(".{group}")).unwrap_or_default();
    format!("{}{group}/{}", string(&parameters["kind"]), string(&parameters["name"]))
}

/// What an address belongs to.
pub(super) fn address_parent(address: &Value) -> String {
    let parent = &address["spec"]["parentRef"];
    if parent.is_null() {
        return "<none>".to_owned();
    }
    let resource = [string(&parent["resource"]), string(&parent["group"])];
    let resource = resource.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    let parts = [&resource.to_lowercase(), string(&parent["namespace"]), string(&parent["name"])];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// The first addresses of Endpoints, with their ports.
pub(super) fn endpoints(endpoints: &Value) -> String {
    let mut texts = Vec::new();
    for subset in meta::items(&endpoints["subsets"]) {
        let addresses = meta::items(&subset["addresses"]).iter().map(|address| string(&address["ip"]));
        let ports = meta::items(&subset["ports"]);
        if ports.is_empty() {
            texts.extend(addresses.clone().map(str::to_owned));
        }
        for port in ports {
            texts.extend(addresses.clone().map(|ip| match ip.contains(':') {
                true => format!("[{ip}]:{}", port["port"]),
                false => format!("{ip}:{}", port["port"]),
            }));
        }
    }
    match (meta::items(&endpoints["subsets"]).is_empty(), texts.is_empty()) {
        (true, _) => "<none>".to_owned(),
        (false, true) => String::new(),
        (false, false) => text::first_three(&texts, ""),
    }
}

/// The first ports of an `EndpointSlice`.
pub(super) fn slice_ports(slice: &Value) -> String {
    let ports = meta::items(&slice["ports"]).iter().map(|port| match (&port["port"], &port["name"]) {
        (Value::Number(number), _) => number.to_string(),
        (_, Value::String(name)) => name.clone(),
        _ => "*".to_owned(),
    });
    text::first_three(&ports.collect::<Vec<_>>(), "<unset>")
}

/// The first addresses of an `EndpointSlice`.
pub(super) fn slice_addresses(slice: &Value) -> String {
    let endpoints = meta::items(&slice["endpoints"]).iter();
    let addresses = endpoints.flat_map(|endpoint| meta::strings(&endpoint["addresses"]));
    text::first_three(&addresses.map(str::to_owned).collect::<Vec<_>>(), "<unset>")
}

/// The first address of a node that is of this type.
pub(super) fn node_address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let addresses = meta::items(&node["status"]["addresses"]);
    addresses
        .iter()
        .find(|address| address["type"] == kind)
        .map_or("<none>", |found| string(&found["address"]))
}
