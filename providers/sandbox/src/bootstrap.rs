//! The objects that every cluster has.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces>,
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings>

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::controllers;
use crate::merge::Force;
use crate::request::{DryRun, FieldValidation, WriteOptions};
use crate::rest::{self, Writing};

/// The node that runs every pod.
pub(crate) const NODE: &str = "sandbox";

/// Makes the initial objects that are not there yet.
pub(crate) fn populate(cluster: &mut Cluster) {
    for (namespace, object) in initial_objects() {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let Some(resource) = cluster.catalog.of_kind(text("apiVersion"), text("kind")).cloned() else {
            continue;
        };
        let name = crate::meta::name(&object).to_owned();
        if cluster.store.get(&Cluster::key(&resource, namespace, &name)).is_some() {
            continue;
        }
        let options = WriteOptions {
            dry_run: DryRun::No,
            validation: FieldValidation::Ignore,
            force: Force::Yes,
            manager: "kube-apiserver".into(),
        };
        let writing = Writing { options: &options, subresource: "" };
        if let Err(error) = rest::create(cluster, &resource, namespace, object, &writing) {
            tracing::warn!(%name, %error, "an initial object was refused");
        }
        controllers::settle(cluster);
    }
}

fn initial_objects() -> Vec<(&'static str, Value)> {
    let cluster_wide =
        namespaces().into_iter().chain([node(), storage_class()]).chain(priorities()).chain(roles());
    let mut objects: Vec<_> = cluster_wide.map(|object| ("", object)).collect();
    objects.push(("default", api_service()));
    objects
}

fn namespaces() -> Vec<Value> {
    ["kube-system", "default", "kube-public", "kube-node-lease"]
        .map(|name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }))
        .to_vec()
}

fn node() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": { "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" },
        },
    })
}

fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {
            "name": "standard", "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": "sandbox.terrane.dev/host-path", "volumeBindingMode": "Immediate",
    })
}

fn priorities() -> Vec<Value> {
    let class = |name: &str, value: i64, description: &str| {
        json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": name },
            "value": value, "description": description,
        })
    };
    let node = "Used for system critical pods that must not be moved from their current node.";
    let cluster = "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.";
    vec![
        class("system-node-critical", 2_000_001_000, node),
        class("system-cluster-critical", 2_000_000_000, cluster),
    ]
}

fn api_service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "kubernetes", "labels": { "component": "apiserver", "provider": "kubernetes" } },
        "spec": {
            "clusterIP": "10.96.0.1",
            "ports": [{ "name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443 }],
        },
    })
}

// Whole: a table of the default roles.
fn roles() -> Vec<Value> {
    let role = |name: &str, rules: Value| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": name, "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" } }, "rules": rules,
        })
    };
    let binding = |role: &str, group: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": role, "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" } },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group }],
        })
    };
    let read = json!(["get", "list", "watch"]);
    let write = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    let everything = json!([
        { "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] },
        { "nonResourceURLs": ["*"], "verbs": ["*"] },
    ]);
    let mut admin = application_rules(&write);
    admin.push(json!({
        "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings", "roles"], "verbs": write,
    }));
    let mut edit = application_rules(&write);
    for rules in [&mut admin, &mut edit] {
        rules.push(json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": write }));
        rules.push(json!({ "apiGroups": [""], "resources": NAMESPACE_FACTS, "verbs": read }));
    }
    let mut view = application_rules(&read);
    view.push(json!({ "apiGroups": [""], "resources": NAMESPACE_FACTS, "verbs": read }));
    let discovery = json!([{
        "nonResourceURLs": [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
            "/version", "/version/",
        ],
        "verbs": ["get"],
    }]);
    let public = json!([{
        "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"],
    }]);
    let own = json!([
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], "verbs": ["create"],
        },
        { "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"] },
    ]);
    vec![
        role("cluster-admin", everything),
        role("admin", json!(admin)),
        role("edit", json!(edit)),
        role("view", json!(view)),
        role("system:discovery", discovery),
        role("system:basic-user", own),
        role("system:public-info-viewer", public),
        binding("cluster-admin", "system:masters"),
        binding("system:discovery", "system:authenticated"),
        binding("system:basic-user", "system:authenticated"),
        binding("system:public-info-viewer", "system:authenticated"),
    ]
}

const NAMESPACE_FACTS: [&str; 6] =
    ["bindings", "events", "limitranges", "namespaces", "namespaces/status", "resourcequotas"];

// What the roles admin, edit and view share: the objects of applications.
fn application_rules(verbs: &Value) -> Vec<Value> {
    let rule = |group: &str, resources: Value| json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
    vec![
        rule(
            "",
            json!([
                "configmaps",
                "endpoints",
                "persistentvolumeclaims",
                "persistentvolumeclaims/status",
                "pods",
                "pods/status",
                "replicationcontrollers",
                "replicationcontrollers/scale",
                "replicationcontrollers/status",
                "serviceaccounts",
                "services",
                "services/status"
            ]),
        ),
        rule(
            "apps",
            json!([
                "controllerrevisions",
                "daemonsets",
                "daemonsets/status",
                "deployments",
                "deployments/scale",
                "deployments/status",
                "replicasets",
                "replicasets/scale",
                "replicasets/status",
                "statefulsets",
                "statefulsets/scale",
                "statefulsets/status"
            ]),
        ),
        rule("autoscaling", json!(["horizontalpodautoscalers", "horizontalpodautoscalers/status"])),
        rule("batch", json!(["cronjobs", "cronjobs/status", "jobs", "jobs/status"])),
        rule("discovery.k8s.io", json!(["endpointslices"])),
        rule("networking.k8s.io", json!(["ingresses", "ingresses/status", "networkpolicies"])),
        rule("policy", json!(["poddisruptionbudgets", "poddisruptionbudgets/status"])),
    ]
}
