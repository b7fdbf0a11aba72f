//! Create, read, update, delete and list.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

use serde_json::{Value, json};

use super::Client;

const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "k": "v" } })
}

#[test]
fn a_created_object_is_read_listed_changed_and_deleted() {
    let client = Client::new();
    let made = client.post(&format!("{MAPS}?fieldManager=me"), &map("a"));
    assert_eq!(made.code, 201, "{}", made.body);
    let metadata = &made.body["metadata"];
    assert_eq!(metadata["namespace"], "default");
    assert_eq!(metadata["managedFields"][0]["manager"], "me");
    assert_eq!(metadata["managedFields"][0]["operation"], "Update");
    assert_eq!(metadata["managedFields"][0]["fieldsV1"], json!({ "f:data": { ".": {}, "f:k": {} } }));
    assert!(metadata["uid"].is_string() && metadata["creationTimestamp"].is_string());

    let again = client.post(MAPS, &map("a"));
    assert_eq!((again.code, again.message()), (409, "configmaps \"a\" already exists"));
    assert_eq!(again.body["details"], json!({ "name": "a", "kind": "configmaps" }));

    let path = format!("{MAPS}/a");
    assert_eq!(client.get(&path).body, made.body);
    let listed = client.get(MAPS).body;
    assert_eq!(listed["kind"], "ConfigMapList");
    let names: Vec<_> =
        listed["items"].as_array().expect("items").iter().map(|i| &i["metadata"]["name"]).collect();
    assert_eq!(names, ["a", "kube-root-ca.crt"]);
    assert!(listed["items"][0].get("kind").is_none());

    let mut changed = made.body.clone();
    changed["data"]["k"] = json!("w");
    let put = client.put(&path, &changed);
    assert_eq!((put.code, &put.body["data"]["k"]), (200, &json!("w")));
    let stale = client.put(&path, &changed);
    assert_eq!(stale.code, 409);
    assert!(stale.message().ends_with("please apply your changes to the latest version and try again"));
    let same = client.put(&path, &put.body);
    assert_eq!(same.body["metadata"]["resourceVersion"], put.body["metadata"]["resourceVersion"]);

    let gone = client.delete(&path);
    assert_eq!((gone.code, &gone.body["status"]), (200, &json!("Success")));
    assert_eq!(gone.body["details"]["uid"], metadata["uid"]);
    let missing = client.get(&path);
    assert_eq!((missing.code, missing.message()), (404, "configmaps \"a\" not found"));
}

#[test]
fn a_dry_run_answers_as_a_write_and_keeps_nothing() {
    let client = Client::new();
    let rehearsed = client.post(&format!("{MAPS}?dryRun=All"), &map("a"));
    assert_eq!(rehearsed.code, 201);
    assert!(rehearsed.body["metadata"].get("resourceVersion").is_none());
    assert_eq!(client.get(&format!("{MAPS}/a")).code, 404);
    client.post(MAPS, &map("a"));
    assert_eq!(client.delete(&format!("{MAPS}/a?dryRun=All")).code, 200);
    assert_eq!(client.get(&format!("{MAPS}/a")).code, 200);
}

#[test]
fn requests_that_cannot_be_served_are_refused_as_kubernetes_refuses_them() {
    let client = Client::new();
    let wrong_namespace =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "other" } });
    let wrong_version = json!({ "apiVersion": "v2", "kind": "ConfigMap", "metadata": { "name": "a" } });
    let wrong_type =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "k": 1 } });
    let cases = [
        (client.get("/api/v1/nonsense"), 404, ""),
        (client.post("/api/v1/namespaces/none/configmaps", &map("a")), 404, "namespaces \"none\" not found"),
        (
            client.post(MAPS, &wrong_namespace),
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            client.post(MAPS, &wrong_version),
            400,
            "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version \"v2\" \
             in scheme \"pkg/runtime/scheme.go:111\"",
        ),
        (
            client.post(MAPS, &wrong_type),
            400,
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct \
             field ConfigMap.data of type string",
        ),
        (
            client.post(&format!("{MAPS}?dryRun=maybe"), &map("a")),
            422,
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"maybe\"]: supported values: \"All\"",
        ),
        (client.get("/api/v1/pods?fieldSelector=spec.nothing%3Da"), 400, ""),
        (client.get(&format!("{PODS}/a/log")), 501, "the sandbox does not simulate pods/log"),
    ];
    for (index, (answer, code, message)) in cases.iter().enumerate() {
        assert_eq!(answer.code, *code, "case {index}: {}", answer.body);
        assert!(message.is_empty() || answer.message() == *message, "case {index}: {}", answer.body);
    }
}

#[test]
fn a_list_is_read_page_by_page_as_it_was_when_it_began() {
    let client = Client::new();
    for index in 0..5 {
        client.post(MAPS, &map(&format!("m{index}")));
    }
    let first = client.get(&format!("{MAPS}?limit=4")).body;
    assert_eq!(first["metadata"]["remainingItemCount"], 2);
    client.delete(&format!("{MAPS}/m4"));
    let token = first["metadata"]["continue"].as_str().expect("a token");
    let second = client.get(&format!("{MAPS}?limit=4&continue={token}")).body;
    let names: Vec<_> =
        second["items"].as_array().expect("items").iter().map(|i| &i["metadata"]["name"]).collect();
    assert_eq!(names, ["m3", "m4"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
}

#[test]
fn every_cluster_has_its_initial_objects() {
    let client = Client::new();
    let expected = [
        "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/kube-public",
        "/api/v1/namespaces/kube-node-lease",
        "/api/v1/nodes/sandbox",
        "/apis/storage.k8s.io/v1/storageclasses/standard",
        "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical",
        "/apis/scheduling.k8s.io/v1/priorityclasses/system-cluster-critical",
        "/api/v1/namespaces/default/services/kubernetes",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/edit",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/view",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:public-info-viewer",
    ];
    for path in expected {
        assert_eq!(client.get(path).code, 200, "{path}");
    }
    let ready = client.get("/api/v1/nodes/sandbox").body["status"]["conditions"][0].clone();
    assert_eq!((&ready["type"], &ready["status"]), (&json!("Ready"), &json!("True")));
}
