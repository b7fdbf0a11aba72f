//! What validation refuses.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/>, the page of each kind.

use serde_json::{Value, json};

use super::Client;
use super::workloads::workload;

const CORE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";

fn object(kind: &str, name: &str, body: Value) -> Value {
    let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } });
    if let Value::Object(fields) = body {
        fields.into_iter().for_each(|(key, value)| object[key] = value);
    }
    object
}

#[test]
fn new_objects_that_break_a_rule_are_refused() {
    let client = Client::new();
    let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
        must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
        '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    let other_labels = json!({ "template": {
        "metadata": { "labels": { "app": "other" } }, "spec": { "containers": [{ "name": "c", "image": "a" }] },
    } });
    let cases: Vec<(String, Value, String)> = vec![
        (
            format!("{CORE}/configmaps"),
            object("ConfigMap", "A_b", json!({})),
            format!("ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": {subdomain}"),
        ),
        (
            format!("{APPS}/deployments"),
            workload("Deployment", json!({ "replicas": -1 })),
            "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0".into(),
        ),
        (
            format!("{APPS}/deployments"),
            workload("Deployment", other_labels),
            "Deployment.apps \"web\" is invalid: spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: \
             `selector` does not match template `labels`"
                .into(),
        ),
        (
            format!("{CORE}/services"),
            object("Service", "s", json!({ "spec": { "ports": [] } })),
            "Service \"s\" is invalid: spec.ports: Required value".into(),
        ),
        (
            format!("{CORE}/persistentvolumeclaims"),
            object("PersistentVolumeClaim", "c", json!({ "spec": {} })),
            "PersistentVolumeClaim \"c\" is invalid: [spec.accessModes: Required value: at least 1 access mode is \
             required, spec.resources[storage]: Required value]"
                .into(),
        ),
        (
            format!("{CORE}/pods"),
            object("Pod", "p", json!({ "spec": { "containers": [{
                "name": "c", "image": "a", "volumeMounts": [{ "name": "v", "mountPath": "/v" }],
            }] } })),
            "Pod \"p\" is invalid: spec.containers[0].volumeMounts[0].name: Not found: \"v\"".into(),
        ),
    ];
    for (path, body, message) in cases {
        let refused = client.post(&path, &body);
        assert_eq!((refused.code, refused.message()), (422, message.as_str()));
    }
}

#[test]
fn services_take_only_free_addresses_and_ports() {
    let client = Client::new();
    let path = format!("{CORE}/services");
    let service = |name: &str, address: Value, port: u64| {
        let ports = json!([{ "port": 80, "nodePort": port }]);
        object(
            "Service",
            name,
            json!({ "spec": { "type": "NodePort", "clusterIP": address, "ports": ports } }),
        )
    };
    assert_eq!(client.post(&path, &service("a", json!("10.96.7.7"), 30080)).code, 201);
    let cases = [
        (
            service("b", json!("10.96.7.7"), 30081),
            "failed to allocate IP 10.96.7.7: provided IP is already allocated",
        ),
        (service("b", json!("10.1.0.1"), 30081), "the provided network does not match the current range"),
        (service("b", Value::Null, 30080), "provided port is already allocated"),
        (service("b", Value::Null, 80), "The range of valid ports is 30000-32767"),
    ];
    for (body, message) in cases {
        let refused = client.post(&path, &body);
        assert_eq!(refused.code, 422);
        assert!(refused.message().ends_with(message), "{}", refused.message());
    }
    assert_eq!(
        client.merge(&format!("{path}/a"), &json!({ "metadata": { "labels": { "k": "v" } } })).code,
        200
    );
}

#[test]
fn what_is_immutable_stays() {
    let client = Client::new();
    client.post(&format!("{APPS}/deployments"), &workload("Deployment", json!({})));
    client.post(&format!("{APPS}/statefulsets"), &workload("StatefulSet", json!({})));
    client.post(
        &format!("{CORE}/configmaps"),
        &object("ConfigMap", "m", json!({ "immutable": true, "data": { "a": "b" } })),
    );
    client.post(&format!("{CORE}/secrets"), &object("Secret", "s", json!({ "stringData": { "a": "b" } })));
    client.post(
        &format!("{CORE}/services"),
        &object("Service", "v", json!({ "spec": { "ports": [{ "port": 80 }] } })),
    );
    let selector = json!({ "spec": { "selector": { "matchLabels": { "app": "x" } },
        "template": { "metadata": { "labels": { "app": "x" } } } } });
    let cases = [
        (
            format!("{APPS}/deployments/web"),
            selector,
            "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"x\"}}: field is \
             immutable",
        ),
        (
            format!("{APPS}/statefulsets/web"),
            json!({ "spec": { "serviceName": "x" } }),
            "StatefulSet.apps \"web\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \
             'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
        (
            format!("{CORE}/configmaps/m"),
            json!({ "data": { "a": "c" } }),
            "ConfigMap \"m\" is invalid: data: Forbidden: field is immutable when `immutable` is set",
        ),
        (
            format!("{CORE}/secrets/s"),
            json!({ "type": "other" }),
            "Secret \"s\" is invalid: type: Invalid value: \"other\": field is immutable",
        ),
        (
            format!("{CORE}/services/v"),
            json!({ "spec": { "clusterIP": "10.96.9.9" } }),
            "Service \"v\" is invalid: spec.clusterIPs[0]: Invalid value: [\"10.96.9.9\"]: may not change once set",
        ),
    ];
    for (path, patch, message) in cases {
        let refused = client.merge(&path, &patch);
        assert_eq!((refused.code, refused.message()), (422, message));
    }
}

#[test]
fn defaults_are_those_of_kubernetes() {
    let client = Client::new();
    let secret = client
        .post(&format!("{CORE}/secrets"), &object("Secret", "s", json!({ "stringData": { "a": "b" } })));
    assert_eq!((&secret.body["type"], &secret.body["data"]["a"]), (&json!("Opaque"), &json!("Yg==")));
    assert!(secret.body.get("stringData").is_none());
    let made = client
        .post(&format!("{APPS}/deployments"), &workload("Deployment", json!({ "minReadySeconds": 0 })))
        .body;
    let spec = &made["spec"];
    assert_eq!((&spec["replicas"], &spec["progressDeadlineSeconds"]), (&json!(1), &json!(600)));
    assert!(spec.get("minReadySeconds").is_none());
    let rolling =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } });
    assert_eq!(spec["strategy"], rolling);
    let container = json!({
        "name": "c", "image": "web:1", "imagePullPolicy": "IfNotPresent", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    let expected = json!({
        "containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "securityContext": {}, "terminationGracePeriodSeconds": 30,
    });
    assert_eq!(spec["template"]["spec"], expected);
}

#[test]
fn odd_shapes_are_answered_without_a_panic() {
    let client = Client::new();
    let odd =
        [json!("x"), json!(1), json!([1]), json!({ "a": [[{}]] }), json!(true), json!([{ "a": 1 }, {}])];
    let groups = client.get("/apis").body;
    let versions = groups["groups"].as_array().expect("groups").iter().flat_map(|group| {
        group["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|version| version["groupVersion"].as_str())
    });
    let roots =
        versions.map(|version| (format!("/apis/{version}"), version)).chain([("/api/v1".to_owned(), "v1")]);
    for (root, version) in roots {
        for resource in client.get(&root).body["resources"].as_array().cloned().unwrap_or_default() {
            let name = resource["name"].as_str().unwrap_or_default();
            let is_main = resource["verbs"].as_array().is_some_and(|verbs| verbs.contains(&json!("patch")));
            if !is_main || name.contains('/') {
                continue;
            }
            let place = if resource["namespaced"] == true { "/namespaces/default" } else { "" };
            let path = format!("{root}{place}/{name}");
            for value in &odd {
                for field in ["spec", "metadata", "status", "data", "rules", "subjects", "webhooks"] {
                    let mut body = json!({ "apiVersion": version, "kind": resource["kind"], "metadata": { "name": "a" } });
                    body[field] = value.clone();
                    client.post(&path, &body);
                    client.apply(&format!("{path}/a"), &body);
                    client.merge(&format!("{path}/a"), &body);
                }
            }
        }
    }
    assert_eq!(client.get("/readyz").code, 200);
}

#[test]
fn deep_and_swelling_bodies_are_refused() {
    let client = Client::new();
    let path = format!("{CORE}/configmaps/a");
    for text in
        ["[".repeat(100_000), "{\"a\":".repeat(100_000), "- ".repeat(100_000), "a: &a [*a]".to_owned()]
    {
        let refused = client.send_text(
            "PATCH",
            &format!("{path}?fieldManager=m"),
            "application/apply-patch+yaml",
            &text,
        );
        assert_eq!(refused.code, 400, "{}", &text[..20.min(text.len())]);
    }
    client.post(&format!("{CORE}/configmaps"), &object("ConfigMap", "a", json!({ "data": { "k": "v" } })));
    let copies: Vec<_> = (0..64)
        .map(|index| json!({ "op": "copy", "from": "/data", "path": format!("/data/{index}") }))
        .collect();
    let refused = client.send("PATCH", &path, "application/json-patch+json", &json!(copies));
    assert_eq!(refused.code, 422, "{}", refused.body);
    let nested: Vec<_> = (0..200)
        .flat_map(|_| {
            [
                json!({ "op": "add", "path": "/y", "value": {} }),
                json!({ "op": "move", "from": "/data", "path": "/y/k" }),
                json!({ "op": "move", "from": "/y", "path": "/data" }),
            ]
        })
        .collect();
    let refused = client.send("PATCH", &path, "application/json-patch+json", &json!(nested));
    assert_eq!(refused.code, 422, "{}", refused.body);
}
