//! Server-side apply over HTTP.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use serde_json::{Value, json};

use super::Client;

const MAP: &str = "/api/v1/namespaces/default/configmaps/a";

fn map(data: Value) -> Value {
    let mut map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "default" } });
    map["data"] = data;
    map
}

#[test]
fn the_first_apply_creates_and_the_next_changes_only_what_differs() {
    let client = Client::new();
    let first = client.apply(MAP, &map(json!({ "k": "v" })));
    assert_eq!(first.code, 201, "{}", first.body);
    assert_eq!(first.body["metadata"]["managedFields"][0]["operation"], "Apply");
    let again = client.apply(MAP, &map(json!({ "k": "v" })));
    assert_eq!((again.code, &again.body), (200, &first.body));
    let removed = client.apply(MAP, &map(json!({ "l": "w" })));
    assert_eq!(removed.body["data"], json!({ "l": "w" }));
}

#[test]
fn a_field_of_another_manager_is_a_conflict_unless_forced() {
    let client = Client::new();
    client.apply(MAP, &map(json!({ "k": "v" })));
    let path = format!("{MAP}?fieldManager=other");
    let body = map(json!({ "k": "w" }));
    let refused = client.send("PATCH", &path, "application/apply-patch+yaml", &body);
    assert_eq!(
        (refused.code, refused.message()),
        (409, "Apply failed with 1 conflict: conflict with \"m\": .data.k")
    );
    let cause =
        json!({ "reason": "FieldManagerConflict", "message": "conflict with \"m\"", "field": ".data.k" });
    assert_eq!(refused.body["details"]["causes"], json!([cause]));
    let forced = client.send("PATCH", &format!("{path}&force=true"), "application/apply-patch+yaml", &body);
    assert_eq!((forced.code, &forced.body["data"]["k"]), (200, &json!("w")));
}

#[test]
fn a_uid_makes_an_apply_refuse_every_other_object() {
    let client = Client::new();
    let mut body = map(json!({}));
    body["metadata"]["uid"] = json!("1234");
    let absent = client.apply(MAP, &body);
    assert_eq!(absent.code, 409);
    assert!(
        absent.message().contains("uid mismatch: the provided object specified uid 1234"),
        "{}",
        absent.message()
    );
    client.apply(MAP, &map(json!({})));
    let replaced = client.apply(MAP, &body);
    assert_eq!(replaced.code, 422, "{}", replaced.body);
    assert_eq!(replaced.body["details"]["causes"][0]["field"], "metadata.uid");
}

#[test]
fn unknown_fields_and_missing_managers_are_refused() {
    let client = Client::new();
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "foo": 1 });
    let unknown = client.apply(MAP, &body);
    assert_eq!(unknown.code, 500);
    assert_eq!(
        unknown.message(),
        "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .foo: field not declared in schema"
    );
    let unnamed = client.send("PATCH", MAP, "application/apply-patch+yaml", &map(json!({})));
    assert_eq!(unnamed.code, 422);
    assert_eq!(unnamed.body["details"]["causes"][0]["field"], "fieldManager");
}
