//! Watches.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use serde_json::{Value, json};

use super::Client;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str, tier: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "labels": { "tier": tier } } })
}

fn told(lines: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines.iter().map(|line| (text(&line["type"]), text(&line["object"]["metadata"]["name"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn a_watch_tells_what_happened_since_a_version() {
    let client = Client::new();
    let since = client.get(MAPS).body["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    client.post(MAPS, &map("a", "x"));
    client.merge(&format!("{MAPS}/a"), &json!({ "data": { "k": "v" } }));
    client.delete(&format!("{MAPS}/a"));
    let lines = client.watch(&format!("{MAPS}?resourceVersion={since}"), 3);
    assert_eq!(told(&lines), pairs(&[("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]));
}

#[test]
fn a_selector_makes_objects_come_and_go() {
    let client = Client::new();
    let since = client.get(MAPS).body["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    client.post(MAPS, &map("a", "x"));
    client.post(MAPS, &map("b", "y"));
    client.merge(&format!("{MAPS}/a"), &json!({ "metadata": { "labels": { "tier": "y" } } }));
    client.merge(&format!("{MAPS}/b"), &json!({ "metadata": { "labels": { "tier": "x" } } }));
    let lines = client.watch(&format!("{MAPS}?resourceVersion={since}&labelSelector=tier%3Dx"), 3);
    assert_eq!(told(&lines), pairs(&[("ADDED", "a"), ("DELETED", "a"), ("ADDED", "b")]));
}

#[test]
fn a_watch_list_starts_with_what_is_there() {
    let client = Client::new();
    client.post(MAPS, &map("a", "x"));
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=tier";
    let lines = client.watch(&format!("{MAPS}?{query}"), 2);
    assert_eq!(told(&lines), pairs(&[("ADDED", "a"), ("BOOKMARK", "")]));
    assert_eq!(lines[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[test]
fn a_version_that_is_no_longer_kept_is_an_error_event() {
    let client = Client::new();
    let lines = client.watch(&format!("{MAPS}?resourceVersion=0"), 1);
    assert_eq!(told(&lines)[0].0, "ADDED");
    let client = Client::of(client.sandbox.clone());
    for index in 0..9000 {
        client.merge(&format!("{MAPS}/kube-root-ca.crt"), &json!({ "data": { "n": index.to_string() } }));
    }
    let lines = client.watch(&format!("{MAPS}?resourceVersion=2"), 1);
    assert_eq!((&lines[0]["type"], &lines[0]["object"]["code"]), (&json!("ERROR"), &json!(410)));
}
