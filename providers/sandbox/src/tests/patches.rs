//! JSON patch, merge patch and strategic merge patch.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/>

use serde_json::{Value, json};

use super::Client;
use super::workloads::workload;

const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";

fn client() -> Client {
    let client = Client::new();
    client.post(
        "/apis/apps/v1/namespaces/default/deployments",
        &workload("Deployment", json!({ "replicas": 1 })),
    );
    client
}

fn images(object: &Value) -> Vec<&str> {
    let containers = object["spec"]["template"]["spec"]["containers"].as_array().expect("containers");
    containers.iter().filter_map(|container| container["image"].as_str()).collect()
}

#[test]
fn a_json_patch_is_applied_whole_or_not_at_all() {
    let client = client();
    let json = |patch: &Value| client.send("PATCH", WEB, "application/json-patch+json", patch);
    let image = "/spec/template/spec/containers/0/image";
    let done = json(&json!([
        { "op": "test", "path": image, "value": "web:1" },
        { "op": "replace", "path": image, "value": "web:2" },
        { "op": "add", "path": "/metadata/annotations/example.com~1a", "value": "b" },
    ]));
    assert_eq!((done.code, images(&done.body)), (200, vec!["web:2"]));
    assert_eq!(done.body["metadata"]["annotations"]["example.com/a"], "b");
    let refused = json(&json!([
        { "op": "replace", "path": image, "value": "web:3" },
        { "op": "remove", "path": "/metadata/nothing" },
    ]));
    assert_eq!((refused.code, &refused.body["reason"]), (422, &json!("Invalid")));
    assert_eq!(images(&client.get(WEB).body), ["web:2"]);
}

#[test]
fn a_strategic_merge_patch_merges_lists_by_key() {
    let client = client();
    let strategic = |containers: Value| {
        let patch = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
        client.send("PATCH", WEB, "application/strategic-merge-patch+json", &patch)
    };
    let added = strategic(json!([{ "name": "d", "image": "side:1" }]));
    assert_eq!(images(&added.body), ["side:1", "web:1"], "the patch's elements come first");
    let changed = strategic(json!([{ "name": "c", "image": "web:2" }, { "name": "d", "$patch": "delete" }]));
    assert_eq!(images(&changed.body), ["web:2"]);
    let replaced = strategic(json!([{ "$patch": "replace" }, { "name": "e", "image": "new:1" }]));
    assert_eq!(images(&replaced.body), ["new:1"], "{}", replaced.body);
}

#[test]
fn a_patch_based_on_an_older_version_is_a_conflict() {
    let client = client();
    let stale =
        client.merge(WEB, &json!({ "metadata": { "resourceVersion": "1" }, "spec": { "replicas": 2 } }));
    assert_eq!((stale.code, &stale.body["reason"]), (409, &json!("Conflict")));
    let other = client.merge(WEB, &json!({ "metadata": { "uid": "1" } }));
    assert_eq!(other.code, 422);
    let unknown = client.send("PATCH", WEB, "text/plain", &json!({}));
    assert_eq!(unknown.code, 415);
}
