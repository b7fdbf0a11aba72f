//! What the simulated controllers make of workloads.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/>

use serde_json::{Value, json};

use super::{Client, names};

const APPS: &str = "/apis/apps/v1/namespaces/default";
const CORE: &str = "/api/v1/namespaces/default";

pub(super) fn workload(kind: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": "web" },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "c", "image": "web:1" }] },
            },
        },
    });
    if let Value::Object(fields) = spec {
        fields.into_iter().for_each(|(key, value)| object["spec"][key] = value);
    }
    object
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().expect("conditions");
    conditions.iter().find(|condition| condition["type"] == kind).expect("the condition")
}

#[test]
fn a_deployment_has_its_pods_when_the_next_request_arrives() {
    let client = Client::new();
    let made = client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 3 })));
    assert_eq!((made.code, &made.body["status"]), (201, &json!({})), "{}", made.body);
    let live = client.get(&format!("{APPS}/deployments/web")).body;
    assert_eq!(live["status"]["availableReplicas"], 3);
    assert_eq!(live["status"]["observedGeneration"], live["metadata"]["generation"]);
    assert_eq!(live["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    assert_eq!(condition(&live, "Progressing")["reason"], "NewReplicaSetAvailable");
    let pods = client.get(&format!("{CORE}/pods?labelSelector=app%3Dweb")).body;
    assert_eq!(pods["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(pods["items"][0]["status"]["phase"], "Running");
}

#[test]
fn a_new_template_rolls_to_a_new_replica_set() {
    let client = Client::new();
    client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 3 })));
    let image =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": "web:2" }] } } } });
    client.merge(&format!("{APPS}/deployments/web"), &image);
    let live = client.get(&format!("{APPS}/deployments/web")).body;
    assert_eq!((&live["status"]["updatedReplicas"], &live["status"]["replicas"]), (&json!(3), &json!(3)));
    assert_eq!(live["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    let sets = client.get(&format!("{APPS}/replicasets")).body;
    let mut replicas: Vec<_> = sets["items"]
        .as_array()
        .expect("sets")
        .iter()
        .filter_map(|set| set["spec"]["replicas"].as_i64())
        .collect();
    replicas.sort_unstable();
    assert_eq!(replicas, [0, 3]);
}

#[test]
fn pods_that_never_get_ready_leave_the_old_ones_serving() {
    let client = Client::new();
    client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 4 })));
    for (asked, reason) in [("never-ready", "ReplicaSetUpdated"), ("crash", "ProgressDeadlineExceeded")] {
        let annotations = json!({ "annotations": { "sandbox.terrane.dev/pods": asked } });
        client.merge(
            &format!("{APPS}/deployments/web"),
            &json!({ "spec": { "template": { "metadata": annotations } } }),
        );
        let live = client.get(&format!("{APPS}/deployments/web")).body;
        assert_eq!(live["status"]["availableReplicas"], 3, "{asked}: {}", live["status"]);
        assert_eq!(condition(&live, "Available")["status"], "True", "{asked}");
        assert_eq!(condition(&live, "Progressing")["reason"], reason, "{asked}");
    }
}

#[test]
fn a_stateful_set_has_numbered_pods_with_claims_of_their_own() {
    let client = Client::new();
    let template = json!({
        "metadata": { "name": "data" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1024Mi" } } },
    });
    let spec = json!({ "replicas": 2, "serviceName": "web", "volumeClaimTemplates": [template] });
    let made = client.post(&format!("{APPS}/statefulsets"), &workload("StatefulSet", spec));
    assert_eq!(made.code, 201, "{}", made.body);
    assert_eq!(names(&client.get(&format!("{CORE}/pods")).body), ["web-0", "web-1"]);
    let claims = client.get(&format!("{CORE}/persistentvolumeclaims")).body;
    assert_eq!(names(&claims), ["data-web-0", "data-web-1"]);
    assert_eq!(claims["items"][0]["status"]["phase"], "Bound");
    assert_eq!(claims["items"][0]["spec"]["resources"]["requests"]["storage"], "1Gi");
    assert_eq!(claims["items"][0]["spec"]["storageClassName"], "standard");
    let live = client.get(&format!("{APPS}/statefulsets/web")).body;
    assert_eq!(
        (&live["status"]["readyReplicas"], &live["status"]["currentReplicas"]),
        (&json!(2), &json!(2))
    );
    client.merge(&format!("{APPS}/statefulsets/web"), &json!({ "spec": { "replicas": 1 } }));
    assert_eq!(names(&client.get(&format!("{CORE}/pods")).body), ["web-0"]);
}

#[test]
fn a_changed_stateful_set_replaces_its_pods() {
    let client = Client::new();
    client.post(&format!("{APPS}/statefulsets"), &workload("StatefulSet", json!({ "replicas": 2 })));
    let image =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": "web:2" }] } } } });
    client.merge(&format!("{APPS}/statefulsets/web"), &image);
    let pods = client.get(&format!("{CORE}/pods")).body;
    for pod in pods["items"].as_array().expect("pods") {
        assert_eq!(pod["spec"]["containers"][0]["image"], "web:2");
    }
    let status = client.get(&format!("{APPS}/statefulsets/web")).body["status"].clone();
    assert_eq!(status["currentRevision"], status["updateRevision"]);
}

#[test]
fn the_other_workloads_come_to_their_end_too() {
    let client = Client::new();
    client.post(&format!("{APPS}/daemonsets"), &workload("DaemonSet", json!({})));
    let daemons = client.get(&format!("{APPS}/daemonsets/web")).body;
    assert_eq!(
        (&daemons["status"]["numberReady"], &daemons["status"]["desiredNumberScheduled"]),
        (&json!(1), &json!(1))
    );

    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "j" },
        "spec": { "template": { "spec": {
            "restartPolicy": "Never", "containers": [{ "name": "c", "image": "job:1" }],
        } } },
    });
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    assert_eq!(client.post(jobs, &job).code, 201);
    let done = client.get(&format!("{jobs}/j")).body;
    assert_eq!(condition(&done, "Complete")["reason"], "CompletionsReached");
    assert_eq!(done["status"]["succeeded"], 1);
    job["metadata"]["name"] = json!("k");
    job["spec"]["template"]["metadata"] = json!({ "annotations": { "sandbox.terrane.dev/pods": "crash" } });
    client.post(jobs, &job);
    assert_eq!(condition(&client.get(&format!("{jobs}/k")).body, "Failed")["reason"], "BackoffLimitExceeded");
}

#[test]
fn services_and_ingresses_get_addresses_and_autoscalers_bound_their_target() {
    let client = Client::new();
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
        "spec": { "type": "LoadBalancer", "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
    });
    let made = client.post(&format!("{CORE}/services"), &service).body;
    let spec = &made["spec"];
    assert!(spec["clusterIP"].as_str().is_some_and(|address| address.starts_with("10.96.")), "{spec}");
    assert_eq!((&spec["clusterIPs"][0], &spec["ports"][0]["targetPort"]), (&spec["clusterIP"], &json!(80)));
    assert!(spec["ports"][0]["nodePort"].as_u64().is_some_and(|port| port >= 30000));
    let live = client.get(&format!("{CORE}/services/web")).body;
    let address = live["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().expect("an address");
    assert!(address.starts_with("192.0.2."));

    client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 1 })));
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "web" },
        "spec": {
            "minReplicas": 2, "maxReplicas": 4,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
        },
    });
    client.post("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", &scaler);
    assert_eq!(client.get(&format!("{APPS}/deployments/web")).body["status"]["readyReplicas"], 2);
    let older = client.get("/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/web").body;
    assert_eq!(older["spec"]["targetCPUUtilizationPercentage"], 80);
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "web" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } },
    });
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    client.post(budgets, &budget);
    assert_eq!(client.get(&format!("{budgets}/web")).body["status"]["disruptionsAllowed"], 1);
}

#[test]
fn a_claim_of_an_unknown_class_waits() {
    let client = Client::new();
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "c" },
        "spec": {
            "storageClassName": "fast", "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Gi" } },
        },
    });
    client.post(&format!("{CORE}/persistentvolumeclaims"), &claim);
    let path = format!("{CORE}/persistentvolumeclaims/c");
    assert_eq!(client.get(&path).body["status"]["phase"], "Pending");
    client.delete(&path);
    assert_eq!(client.get(&path).code, 404);
}

#[test]
fn controllers_that_never_agree_and_endless_replicas_come_to_an_end() {
    let client = Client::new();
    client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "replicas": 4 })));
    for (name, least, most) in [("low", 1, 2), ("high", 3, 4)] {
        let scaler = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": name },
            "spec": {
                "minReplicas": least, "maxReplicas": most,
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            },
        });
        client.post("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", &scaler);
    }
    assert_eq!(client.get(&format!("{APPS}/deployments/web")).code, 200);

    let client = Client::new();
    client
        .post(&format!("{APPS}/replicasets"), &workload("ReplicaSet", json!({ "replicas": 2_000_000_000 })));
    let status = client.get(&format!("{APPS}/replicasets/web")).body["status"].clone();
    assert_eq!(status["replicas"], 500);
    assert_eq!(status["conditions"][0]["message"], "the sandbox runs at most 500 pods of a workload");
}
