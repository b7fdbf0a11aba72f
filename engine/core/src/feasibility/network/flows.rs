//! Traffic from other namespaces that `NetworkPolicies` cut: of Ingresses to their pods, of scrapes to what is measured.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::feasibility::namespace::{Declared, Namespace};
use crate::feasibility::workload::{Workload, has_labels, selects};
use crate::feasibility::{NO_INGRESS, NO_SCRAPE, about, list, some_of};
use crate::value::Value;

/// Finds pods that something declared is to reach from another namespace, and that no policy lets it reach.
///
/// Where the other end is, is not known: a rule that admits anything from beyond the namespace admits it.
///
/// # Source
/// Kubernetes, Network Policies: a pod that a policy selects for ingress takes only what one of them allows.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    let policies: Vec<&Declared<'_>> = namespace
        .of_kind("networking.k8s.io", "NetworkPolicy")
        .filter(|policy| super::restricts(policy.body, "Ingress"))
        .collect();
    if policies.is_empty() || namespace.declared.is_none() || namespace.is_filled_by_others {
        return;
    }
    let mut flows: Vec<Flow<'_>> = Vec::new();
    // A door to the outside in the namespace itself may be the controller's.
    if !namespace.objects.iter().any(is_door) && !namespace.workloads.iter().any(opens_its_host) {
        flows.extend(routes(namespace));
    }
    flows.extend(scrapes(namespace));
    let mut said = BTreeSet::new();
    for flow in flows {
        let workloads = namespace.workloads.iter().filter(|it| takes_part(it) && (flow.reaches)(it));
        for workload in workloads {
            let cutting = cutting(&policies, workload, &flow);
            if !cutting.is_empty()
                && said.insert((flow.code, flow.from.object_ref(), workload.object.object_ref()))
            {
                found.push(flow.cut(workload, &cutting));
            }
        }
    }
}

/// Something that is to reach pods of a namespace from another one.
struct Flow<'a> {
    code: Code,
    /// The Ingress or the monitor.
    from: &'a Declared<'a>,
    /// Which pods.
    reaches: Box<dyn Fn(&Workload<'_>) -> bool + 'a>,
    /// On which port of theirs, as a number or a name, `None` if that is not known.
    port: Option<&'a Value>,
}

fn takes_part(workload: &Workload<'_>) -> bool {
    workload.pods > 0 && workload.spec.get("hostNetwork").and_then(Value::as_bool) != Some(true)
}

fn is_door(object: &Declared<'_>) -> bool {
    let service_type = object.body.str_at(&["spec", "type"]);
    object.is("", "Service") && matches!(service_type, Some("LoadBalancer" | "NodePort"))
}

fn opens_its_host(workload: &Workload<'_>) -> bool {
    workload.spec.get("hostNetwork").and_then(Value::as_bool) == Some(true)
        || workload.containers().flat_map(|it| list(it, &["ports"])).any(|it| it.get("hostPort").is_some())
}

/// Returns what Ingresses route to.
fn routes<'a>(namespace: &'a Namespace<'a>) -> Vec<Flow<'a>> {
    let mut found = Vec::new();
    for ingress in namespace.of_kind("networking.k8s.io", "Ingress") {
        let rules = list(ingress.body, &["spec", "rules"]).iter();
        let paths = rules.flat_map(|rule| list(rule, &["http", "paths"])).filter_map(|it| it.get("backend"));
        for backend in paths.chain(ingress.body.at(&["spec", "defaultBackend"])) {
            let Some(name) = backend.str_at(&["service", "name"]) else { continue };
            let services = namespace.of_kind("", "Service").filter(|it| it.object_ref().name == name);
            let port = backend.at(&["service", "port"]);
            let is_meant = move |it: &&Value| {
                let (number, name) =
                    (port.and_then(|it| it.get("number")), port.and_then(|it| it.get("name")));
                number.is_some_and(|number| it.get("port") == Some(number))
                    || name.is_some_and(|name| it.get("name") == Some(name))
            };
            found.extend(services.filter_map(|it| service_flow(NO_INGRESS, ingress, it, is_meant)));
        }
    }
    found
}

/// Returns what the monitors of Prometheus measure here.
fn scrapes<'a>(namespace: &'a Namespace<'a>) -> Vec<Flow<'a>> {
    let mut found = Vec::new();
    for monitor in &namespace.monitors {
        let Some(selector) = monitor.body.at(&["spec", "selector"]).filter(|it| it.as_map().is_some()) else {
            continue;
        };
        if monitor.is("monitoring.coreos.com", "PodMonitor") {
            for endpoint in list(monitor.body, &["spec", "podMetricsEndpoints"]) {
                let port = ["portNumber", "port"].iter().find_map(|it| endpoint.get(it));
                let reaches = Box::new(move |it: &Workload<'_>| selects(selector, it.labels));
                found.push(Flow { code: NO_SCRAPE, from: monitor, reaches, port });
            }
            continue;
        }
        let labels = |service: &&Declared<'a>| selects(selector, service.body.at(&["metadata", "labels"]));
        for service in namespace.of_kind("", "Service").filter(labels) {
            for endpoint in list(monitor.body, &["spec", "endpoints"]) {
                let port = endpoint.get("port");
                let is_meant = move |it: &&Value| port.is_some() && it.get("name") == port;
                found.extend(service_flow(NO_SCRAPE, monitor, service, is_meant));
            }
        }
    }
    found
}

/// Returns the flow to the pods of a Service through the port that is meant. Without pods or port there is none.
fn service_flow<'a>(
    code: Code,
    from: &'a Declared<'a>,
    service: &'a Declared<'a>,
    is_meant: impl Fn(&&Value) -> bool,
) -> Option<Flow<'a>> {
    let selector = service.body.at(&["spec", "selector"])?;
    selector.as_map().filter(|labels| !labels.is_empty())?;
    let port = list(service.body, &["spec", "ports"]).iter().find(is_meant)?;
    let port = port.get("targetPort").or_else(|| port.get("port"));
    Some(Flow { code, from, reaches: Box::new(move |it| has_labels(selector, it.labels)), port })
}

/// Returns the policies that together cut a flow off, none if it is admitted or not judged.
fn cutting(policies: &[&Declared<'_>], workload: &Workload<'_>, flow: &Flow<'_>) -> Vec<String> {
    let selects_it = |policy: &&&Declared<'_>| {
        policy.body.at(&["spec", "podSelector"]).is_some_and(|it| selects(it, workload.labels))
    };
    let selecting: Vec<&&Declared<'_>> = policies.iter().filter(selects_it).collect();
    let is_known = selecting.iter().all(|it| it.body.at(&["spec", "ingress"]) != Some(&Value::Null));
    let namespace = workload.object.object_ref().namespace.as_deref().unwrap_or_default();
    let port = flow.port.and_then(|port| number(port, workload));
    let mut rules = selecting.iter().flat_map(|it| list(it.body, &["spec", "ingress"]));
    if !is_known || rules.any(|rule| admits(rule, namespace, port, workload)) {
        return Vec::new();
    }
    selecting.iter().map(|it| it.object_ref().to_string()).collect()
}

/// Tells whether a rule may admit what comes from another namespace, or from outside, to a port of the pods.
fn admits(rule: &Value, namespace: &str, port: Option<i64>, workload: &Workload<'_>) -> bool {
    let by_name = ["namespaceSelector", "matchLabels", "kubernetes.io/metadata.name"];
    let is_beyond = |peer: &Value| {
        peer == &Value::Null
            || peer.get("ipBlock").is_some()
            || peer.get("namespaceSelector").is_some() && peer.str_at(&by_name) != Some(namespace)
    };
    let may_be = |field: &str, fits: &dyn Fn(&Value) -> bool| match rule.get(field) {
        None | Some(Value::Null) => true,
        Some(some) => some.as_list().is_none_or(|some| some.is_empty() || some.iter().any(fits)),
    };
    may_be("from", &is_beyond) && may_be("ports", &|it| is_open(it, port, workload))
}

fn is_open(rule: &Value, port: Option<i64>, workload: &Workload<'_>) -> bool {
    if matches!(rule.str_at(&["protocol"]), Some("UDP" | "SCTP")) {
        return false;
    }
    // All ports, or some that are not known: it may be.
    let first = rule.get("port").and_then(|first| number(first, workload));
    let (Some(first), Some(port)) = (first, port) else { return true };
    let last = rule.get("endPort").and_then(Value::as_i64).unwrap_or(first);
    (first..=last).contains(&port)
}

/// Returns a port of pods as a number: names are those that its containers give.
fn number(port: &Value, workload: &Workload<'_>) -> Option<i64> {
    let named = |name| {
        let mut ports = workload.containers().flat_map(|it| list(it, &["ports"]));
        ports.find(|it| it.str_at(&["name"]) == Some(name))?.get("containerPort")?.as_i64()
    };
    port.as_i64().or_else(|| named(port.as_str()?))
}

impl Flow<'_> {
    fn cut(&self, workload: &Workload<'_>, policies: &[String]) -> Diagnostic {
        let (from, to) = (self.from.object_ref(), workload.object.object_ref());
        let (summary, who) = match self.code {
            NO_INGRESS => (
                format!("{from} cannot reach the pods of {to}"),
                "an ingress controller of another namespace",
            ),
            _ => (format!("{from} cannot measure the pods of {to}"), "a Prometheus of another namespace"),
        };
        let detail = format!("No ingress rule of {} admits {who}.", some_of(policies));
        let hint = match self.code {
            NO_INGRESS => "allow ingress to that port from the namespace of the ingress controller",
            _ => "allow ingress to that port from the namespace of Prometheus",
        };
        about(workload.object.resource, Diagnostic::warning(self.code, summary).detail(detail).hint(hint))
    }
}

#[cfg(test)]
mod tests;
