//! Quotas and limits.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/policy/resource-quotas/> and
//! <https://kubernetes.io/docs/concepts/policy/limit-range/>

use serde_json::{Value, json};

use super::workloads::workload;
use super::{Client, names};

const CORE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";

fn quota(hard: Value) -> Value {
    let mut quota =
        json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "q" }, "spec": {} });
    quota["spec"]["hard"] = hard;
    quota
}

#[test]
fn a_quota_counts_and_refuses_in_kubernetes_words() {
    let client = Client::new();
    let map = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    client.post(&format!("{CORE}/resourcequotas"), &quota(json!({ "configmaps": "2" })));
    assert_eq!(client.post(&format!("{CORE}/configmaps"), &map("a")).code, 201);
    let refused = client.post(&format!("{CORE}/configmaps"), &map("b"));
    assert_eq!(
        (refused.code, refused.message()),
        (
            403,
            "configmaps \"b\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: \
             configmaps=2"
        )
    );
    let live = client.get(&format!("{CORE}/resourcequotas/q")).body;
    assert_eq!(live["status"], json!({ "hard": { "configmaps": "2" }, "used": { "configmaps": "2" } }));
    client.delete(&format!("{CORE}/configmaps/a"));
    assert_eq!(client.get(&format!("{CORE}/resourcequotas/q")).body["status"]["used"]["configmaps"], "1");
}

#[test]
fn a_deployment_says_which_quota_holds_its_pods_back_and_goes_on_when_it_gives_way() {
    let client = Client::new();
    client.post(&format!("{CORE}/resourcequotas"), &quota(json!({ "requests.cpu": "1" })));
    client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 3 })));
    let path = format!("{APPS}/deployments/web");
    let failure = |live: &Value| {
        let conditions = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().find(|c| c["type"] == "ReplicaFailure").map(|c| c["message"].clone())
    };
    let message = failure(&client.get(&path).body).expect("a failure");
    let message = message.as_str().unwrap_or_default();
    assert!(
        message.ends_with("is forbidden: failed quota: q: must specify requests.cpu for: c"),
        "{message}"
    );

    let container = json!({ "name": "c", "image": "web:1", "resources": { "requests": { "cpu": "500m" } } });
    client.merge(&path, &json!({ "spec": { "template": { "spec": { "containers": [container] } } } }));
    let live = client.get(&path).body;
    assert_eq!(live["status"]["readyReplicas"], 2);
    let message = failure(&live).expect("a failure");
    let expected =
        "exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=1, limited: requests.cpu=1";
    assert!(message.as_str().is_some_and(|text| text.ends_with(expected)), "{message}");

    client
        .merge(&format!("{CORE}/resourcequotas/q"), &json!({ "spec": { "hard": { "requests.cpu": "2" } } }));
    let live = client.get(&path).body;
    assert_eq!((&live["status"]["readyReplicas"], failure(&live)), (&json!(3), None));
}

#[test]
fn a_limit_range_completes_and_bounds_containers() {
    let client = Client::new();
    let range = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "l" },
        "spec": { "limits": [{ "type": "Container", "max": { "cpu": "2000m" }, "defaultRequest": { "cpu": "100m" } }] },
    });
    let made = client.post(&format!("{CORE}/limitranges"), &range).body;
    assert_eq!(made["spec"]["limits"][0]["default"]["cpu"], "2");
    let pod = |name: &str, limit: Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": { "containers": [{ "name": "c", "image": "a", "resources": { "limits": limit } }] },
        })
    };
    let filled = client.post(&format!("{CORE}/pods"), &pod("a", json!({}))).body;
    let resources = &filled["spec"]["containers"][0]["resources"];
    assert_eq!(*resources, json!({ "limits": { "cpu": "2" }, "requests": { "cpu": "100m" } }));
    let refused = client.post(&format!("{CORE}/pods"), &pod("b", json!({ "cpu": "3" })));
    assert_eq!(
        (refused.code, refused.message()),
        (403, "pods \"b\" is forbidden: maximum cpu usage per Container is 2, but limit is 3")
    );
    assert_eq!(names(&client.get(&format!("{CORE}/pods")).body), ["a"]);
}
