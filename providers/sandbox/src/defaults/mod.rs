//! Values that Kubernetes fills in: defaults of a kind, its first status, and what is allocated to it.

mod kinds;
mod pod;
mod service;
mod webhooks;
mod workloads;

use serde_json::{Map, Value, json};

pub(crate) use kinds::namespace as label_namespace;
pub(crate) use service::{CLUSTER_ADDRESSES, NODE_PORTS};

use crate::cluster::Cluster;
use crate::crd;
use crate::meta;
use crate::resource::Resource;

/// Fills in the defaults of the object's kind.
pub(crate) fn apply(resource: &Resource, object: &mut Value) {
    if let Some(custom) = &resource.custom {
        crd::apply_defaults(&custom.schema, object);
        return;
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => pod::apply(object),
        ("", "podtemplates") => {
            if let Some(fields) = object.as_object_mut() {
                pod::apply_template(fields);
            }
        }
        ("apps", plural @ ("deployments" | "replicasets" | "statefulsets" | "daemonsets"))
        | ("batch", plural @ ("jobs" | "cronjobs"))
        | ("", plural @ "replicationcontrollers") => workloads::apply(plural, object),
        ("", "endpoints") => kinds::endpoints(object),
        ("", "limitranges") => kinds::limit_range(object),
        ("", "namespaces") => kinds::namespace(object),
        ("", "nodes") => kinds::node(object),
        ("", "persistentvolumeclaims") => kinds::claim(object),
        ("", "persistentvolumes") => kinds::volume(object),
        ("", "secrets") => kinds::secret(object),
        ("", "services") => service::apply(object),
        ("admissionregistration.k8s.io", plural) => webhooks::apply(plural, object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::default_definition(object),
        ("apiregistration.k8s.io", "apiservices") => kinds::api_service(object),
        ("autoscaling", "horizontalpodautoscalers") => kinds::autoscaler(object),
        ("discovery.k8s.io", "endpointslices") => kinds::endpoint_slice(object),
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => kinds::flow_schema(object),
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => kinds::priority_level(object),
        ("networking.k8s.io", "ingressclasses") => kinds::ingress_class(object),
        ("networking.k8s.io", "networkpolicies") => kinds::network_policy(object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => kinds::role_binding(object),
        ("resource.k8s.io", "resourceclaims") => kinds::device_requests(object.get_mut("spec")),
        ("resource.k8s.io", "resourceclaimtemplates") => {
            kinds::device_requests(object.get_mut("spec").and_then(|template| template.get_mut("spec")));
        }
        ("scheduling.k8s.io", "priorityclasses") => kinds::priority_class(object),
        ("storage.k8s.io", "csidrivers") => kinds::csi_driver(object),
        ("storage.k8s.io", "storageclasses") => kinds::storage_class(object),
        _ => {}
    }
}

/// Sets a field that is absent, null or empty.
fn set(fields: &mut Map<String, Value>, key: &str, value: Value) {
    if fields.get(key).is_none_or(|found| found.is_null() || found == "") {
        fields.insert(key.to_owned(), value);
    }
}

/// The status that a new object of the kind starts with, if it has one.
pub(crate) fn first_status(resource: &Resource, object: &Value) -> Option<Value> {
    if resource.custom.is_some() {
        return None;
    }
    Some(match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") => json!({ "phase": "Active" }),
        ("", "persistentvolumeclaims") => json!({ "phase": "Pending" }),
        ("", "persistentvolumes") => json!({ "phase": "Pending", "lastPhaseTransitionTime": meta::now() }),
        ("", "pods") => json!({ "phase": "Pending", "qosClass": qos_class(object) }),
        ("", "services") | ("networking.k8s.io", "ingresses") => json!({ "loadBalancer": {} }),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::first_status(),
        ("apps", "daemonsets") => json!({
            "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        }),
        ("apps", "replicasets") | ("", "replicationcontrollers") => json!({ "replicas": 0 }),
        ("apps", "statefulsets") => json!({ "availableReplicas": 0, "replicas": 0 }),
        ("autoscaling", _) if resource.version == "v1" => {
            json!({ "currentReplicas": 0, "desiredReplicas": 0 })
        }
        ("autoscaling", _) => json!({ "currentMetrics": null, "desiredReplicas": 0 }),
        ("policy", "poddisruptionbudgets") => json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        }),
        _ => json!({}),
    })
}

/// How a pod's requests and limits rank it.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/>
fn qos_class(pod: &Value) -> &'static str {
    let containers =
        meta::items(&pod["spec"]["containers"]).iter().chain(meta::items(&pod["spec"]["initContainers"]));
    let mut is_any = false;
    let mut is_guaranteed = true;
    for container in containers {
        let resources = &container["resources"];
        for name in ["cpu", "memory"] {
            let (request, limit) = (&resources["requests"][name], &resources["limits"][name]);
            is_any |= !request.is_null() || !limit.is_null();
            is_guaranteed &= !limit.is_null() && (request.is_null() || request == limit);
        }
    }
    match (is_any, is_guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// Fills in what the server chooses for this one object, as addresses.
pub(crate) fn allocate(cluster: &Cluster, resource: &Resource, live: Option<&Value>, object: &mut Value) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.custom.is_some() => {}
        ("", "namespaces") => kinds::complete_namespace(object, live.is_none()),
        ("", "persistentvolumeclaims") => kinds::data_sources(object),
        ("", "pods") if live.is_none() => pod::settle_grace(object),
        ("", "services") => service::allocate(cluster, live, object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::record_stored_version(object),
        ("batch", "jobs") if live.is_none() => select_own_pods(object),
        _ => {}
    }
}

/// A Job selects its pods by its own uid.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#specifying-your-own-pod-selector>
fn select_own_pods(job: &mut Value) {
    let spec = &job["spec"];
    if spec["manualSelector"] == true {
        return;
    }
    let (uid, name) = (json!(meta::uid(job)), json!(meta::name(job)));
    let Some(spec) = meta::child(job, "spec") else { return };
    let Some(template) = spec.get_mut("template") else { return };
    let labels = meta::child(template, "metadata")
        .map(|metadata| metadata.entry("labels").or_insert_with(|| json!({})));
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        for (key, value) in [
            ("controller-uid", &uid),
            ("batch.kubernetes.io/controller-uid", &uid),
            ("job-name", &name),
            ("batch.kubernetes.io/job-name", &name),
        ] {
            labels.insert(key.to_owned(), value.clone());
        }
    }
    let labels = spec["template"]["metadata"]["labels"].clone();
    let selector = spec.entry("selector").or_insert_with(|| json!({}));
    selector["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid;
    // A Job without labels takes those of its pods.
    if job["metadata"]["labels"].as_object().is_none_or(Map::is_empty) {
        meta::set(job, "labels", labels);
    }
}
