//! Finalizers, owners, namespaces.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>

use serde_json::json;

use super::workloads::workload;
use super::{Client, names};

const CORE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";

fn map(name: &str) -> serde_json::Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } })
}

#[test]
fn an_object_with_a_finalizer_goes_when_the_finalizer_does() {
    let client = Client::new();
    let mut object = map("a");
    object["metadata"]["finalizers"] = json!(["example.com/keep"]);
    client.post(&format!("{CORE}/configmaps"), &object);
    let path = format!("{CORE}/configmaps/a");
    let marked = client.delete(&path);
    assert!(marked.body["metadata"]["deletionTimestamp"].is_string(), "{}", marked.body);
    let more = json!({ "metadata": { "finalizers": ["example.com/keep", "example.com/more"] } });
    assert_eq!(client.merge(&path, &more).code, 422);
    assert_eq!(client.merge(&path, &json!({ "metadata": { "finalizers": null } })).code, 200);
    assert_eq!(client.get(&path).code, 404);
}

#[test]
fn preconditions_of_a_deletion_hold_or_refuse_it() {
    let client = Client::new();
    client.post(&format!("{CORE}/configmaps"), &map("a"));
    let path = format!("{CORE}/configmaps/a");
    let refused =
        client.send("DELETE", &path, "application/json", &json!({ "preconditions": { "uid": "1" } }));
    assert_eq!(refused.code, 409);
    assert!(
        refused.message().starts_with(
            "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (1) does not match the UID in record ("
        ),
        "{}",
        refused.message()
    );
}

#[test]
fn dependents_follow_their_owner_unless_they_are_orphaned() {
    for (policy, sets) in [("Background", 0), ("Foreground", 0), ("Orphan", 1)] {
        let client = Client::new();
        client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 2 })));
        let body = json!({ "propagationPolicy": policy });
        let answer = client.send("DELETE", &format!("{APPS}/deployments/web"), "application/json", &body);
        assert_eq!(answer.code, 200, "{policy}");
        let waits = answer.body["metadata"]["deletionTimestamp"].is_string();
        assert_eq!(waits, policy != "Background", "{policy}: {}", answer.body);
        assert_eq!(client.get(&format!("{APPS}/deployments/web")).code, 404, "{policy}");
        let left = client.get(&format!("{APPS}/replicasets")).body;
        assert_eq!(names(&left).len(), sets, "{policy}");
        let pods = names(&client.get(&format!("{CORE}/pods")).body).len();
        assert_eq!(pods, sets * 2, "{policy}");
    }
}

#[test]
fn a_namespace_goes_with_what_is_in_it() {
    let client = Client::new();
    let space = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "a" } });
    let made = client.post("/api/v1/namespaces", &space).body;
    assert_eq!(made["spec"]["finalizers"], json!(["kubernetes"]));
    assert_eq!(made["metadata"]["labels"]["kubernetes.io/metadata.name"], "a");
    assert_eq!(made["status"]["phase"], "Active");
    assert_eq!(client.get("/api/v1/namespaces/a/serviceaccounts/default").code, 200);
    client.post("/apis/apps/v1/namespaces/a/deployments", &workload("Deployment", json!({})));
    let marked = client.delete("/api/v1/namespaces/a");
    assert_eq!((marked.code, &marked.body["status"]["phase"]), (200, &json!("Terminating")));
    assert_eq!(client.get("/api/v1/namespaces/a").code, 404);
    assert_eq!(names(&client.get("/api/v1/pods").body).len(), 0);
    assert_eq!(client.delete("/api/v1/namespaces/default").code, 403);
}

#[test]
fn a_namespace_waits_for_the_finalizers_in_it() {
    let client = Client::new();
    client.post(
        "/api/v1/namespaces",
        &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "a" } }),
    );
    let mut object = map("kept");
    object["metadata"]["finalizers"] = json!(["example.com/keep"]);
    client.post("/api/v1/namespaces/a/configmaps", &object);
    client.delete("/api/v1/namespaces/a");
    let stuck = client.get("/api/v1/namespaces/a").body;
    let conditions = stuck["status"]["conditions"].as_array().expect("conditions");
    let message = |kind: &str| conditions.iter().find(|c| c["type"] == kind).map(|c| c["message"].clone());
    let content = "Some resources are remaining: configmaps. has 1 resource instances";
    assert_eq!(message("NamespaceContentRemaining"), Some(json!(content)));
    let waiting =
        "Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances";
    assert_eq!(message("NamespaceFinalizersRemaining"), Some(json!(waiting)));
    let refused = client.post("/api/v1/namespaces/a/configmaps", &map("new"));
    assert_eq!(
        (refused.code, refused.message()),
        (
            403,
            "configmaps \"new\" is forbidden: unable to create new content in namespace a because it is being terminated"
        )
    );
    client.merge("/api/v1/namespaces/a/configmaps/kept", &json!({ "metadata": { "finalizers": [] } }));
    assert_eq!(client.get("/api/v1/namespaces/a").code, 404);
}

#[test]
fn a_collection_is_deleted_by_its_labels() {
    let client = Client::new();
    for (name, tier) in [("a", "x"), ("b", "y")] {
        let mut object = map(name);
        object["metadata"]["labels"] = json!({ "tier": tier });
        client.post(&format!("{CORE}/configmaps"), &object);
    }
    assert_eq!(client.delete(&format!("{CORE}/configmaps?labelSelector=tier%20in%20(x)")).code, 200);
    assert_eq!(names(&client.get(&format!("{CORE}/configmaps?labelSelector=tier")).body), ["b"]);
}
