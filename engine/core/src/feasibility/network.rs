//! `NetworkPolicies` that cut pods off from what they need.

mod flows;

use super::namespace::{Declared, Namespace};
use super::workload::{Workload, selects};
use super::{NO_DNS, about, list, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::value::Value;

/// Finds workloads that may send, but not ask DNS where to, and those that are to be reached and cannot be.
///
/// # Source
/// Kubernetes, Network Policies: policies add up, and a pod that one selects may send only what one of them allows.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    flows::check(namespace, found);
    if namespace.declared.is_none() || namespace.is_filled_by_others {
        return;
    }
    let policies: Vec<&Declared<'_>> = namespace
        .of_kind("networking.k8s.io", "NetworkPolicy")
        .filter(|policy| restricts(policy.body, "Egress"))
        .collect();
    for workload in namespace.workloads.iter().filter(|it| asks_dns(it)) {
        let selecting: Vec<&&Declared<'_>> = policies
            .iter()
            .filter(|it| it.body.at(&["spec", "podSelector"]).is_some_and(|it| selects(it, workload.labels)))
            .collect();
        let rules = selecting.iter().flat_map(|policy| list(policy.body, &["spec", "egress"]));
        let is_known = selecting.iter().all(|it| it.body.at(&["spec", "egress"]) != Some(&Value::Null));
        if !selecting.is_empty() && is_known && !rules.into_iter().any(allows_dns) {
            let names: Vec<String> = selecting.iter().map(|it| it.object_ref().to_string()).collect();
            found.push(no_dns(workload, &names));
        }
    }
}

/// Tells whether a policy restricts a direction, `Ingress` or `Egress`. One that names none restricts ingress, and egress
/// if it has rules of it.
fn restricts(policy: &Value, direction: &str) -> bool {
    match policy.at(&["spec", "policyTypes"]) {
        None => direction == "Ingress" || policy.at(&["spec", "egress"]).is_some(),
        Some(types) => types.as_list().unwrap_or_default().iter().any(|it| it.as_str() == Some(direction)),
    }
}

fn asks_dns(workload: &Workload<'_>) -> bool {
    let spec = workload.spec;
    workload.pods > 0
        && spec.get("hostNetwork").and_then(Value::as_bool) != Some(true)
        && spec.str_at(&["dnsPolicy"]) != Some("None")
}

/// Tells whether a rule may allow port 53 of a server in another namespace or outside of the cluster.
fn allows_dns(rule: &Value) -> bool {
    let peers = rule.get("to").and_then(Value::as_list).unwrap_or_default();
    let ports = rule.get("ports").and_then(Value::as_list).unwrap_or_default();
    let is_beyond = |peer: &Value| peer.get("namespaceSelector").is_some() || peer.get("ipBlock").is_some();
    (peers.is_empty() || peers.iter().any(is_beyond)) && (ports.is_empty() || ports.iter().any(is_dns))
}

/// Where servers of DNS listen: policies see the port of the pod behind the Service, which may be 5353.
const DNS_PORTS: [i64; 2] = [53, 5353];

fn is_dns(port: &Value) -> bool {
    match port.get("port") {
        Some(Value::Number(first)) => {
            let Some(first) = first.as_i64() else { return true };
            let last = port.get("endPort").and_then(Value::as_i64).unwrap_or(first);
            DNS_PORTS.iter().any(|dns| (first..=last).contains(dns))
        }
        // All ports, or one with a name that the server's pods give it.
        _ => true,
    }
}

fn no_dns(workload: &Workload<'_>, policies: &[String]) -> Diagnostic {
    let summary = format!("the pods of {} cannot ask DNS", workload.object.object_ref());
    let diagnostic = Diagnostic::warning(NO_DNS, summary)
        .detail(format!("No egress rule of {} allows port 53.", some_of(policies)))
        .hint("allow egress to port 53, UDP and TCP, of the cluster's DNS");
    about(workload.object.resource, diagnostic)
}

#[cfg(test)]
mod tests;
