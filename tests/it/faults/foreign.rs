//! Objects of somebody else.

use engine_core::mark::Lineage;
use serde_json::{Value as Json, json};

/// The namespace of somebody else.
pub const FOREIGN_NAMESPACE: &str = "other";

/// A config map of somebody else.
fn config_map(namespace: &str, name: &str) -> (String, Json) {
    let metadata = json!({ "name": name, "namespace": namespace });
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata });
    (format!("/api/v1/namespaces/{namespace}/configmaps/{name}"), object)
}

/// The same with the mark of an environment of our name that another work copy made.
fn namesake(namespace: &str, name: &str) -> (String, Json) {
    let (path, mut object) = config_map(namespace, name);
    object["metadata"]["labels"] = json!({ "terrane.dev/environment": "faults" });
    object["metadata"]["annotations"] = json!({
        "terrane.dev/lineage": Lineage::new([8; 16]).as_str(),
        "terrane.dev/address": format!("manifest.{name}"),
    });
    (path, object)
}

/// Objects of somebody else with the names of ours.
pub fn twins() -> Vec<(String, Json)> {
    let template = json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "web", "image": "web:1" }] },
    });
    let spec = json!({ "selector": { "matchLabels": { "app": "web" } }, "template": template });
    let metadata = json!({ "name": "web", "namespace": FOREIGN_NAMESPACE });
    vec![
        (
            format!("/api/v1/namespaces/{FOREIGN_NAMESPACE}"),
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": FOREIGN_NAMESPACE } }),
        ),
        config_map(FOREIGN_NAMESPACE, "settings"),
        namesake(FOREIGN_NAMESPACE, "copy"),
        (
            format!("/apis/apps/v1/namespaces/{FOREIGN_NAMESPACE}/deployments/web"),
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec }),
        ),
    ]
}

/// Objects of somebody else that would go with a namespace or a kind of ours.
pub fn guests() -> Vec<(String, Json)> {
    let metadata = json!({ "name": "guest", "namespace": FOREIGN_NAMESPACE });
    vec![
        config_map("dev", "guest"),
        namesake("dev", "guest"),
        (
            format!("/apis/example.com/v1/namespaces/{FOREIGN_NAMESPACE}/widgets/guest"),
            json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata }),
        ),
    ]
}
