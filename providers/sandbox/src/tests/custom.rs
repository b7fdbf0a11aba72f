//! Custom resources.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

use serde_json::{Value, json};

use super::{Client, names};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS: &str = "/apis/example.com/v1/namespaces/default/widgets";

fn definition() -> Value {
    let spec = json!({
        "type": "object", "required": ["size"],
        "properties": {
            "size": { "type": "integer", "minimum": 1, "maximum": 9 },
            "mode": { "type": "string", "enum": ["fast", "slow"], "default": "slow" },
            "parts": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": { "type": "object", "required": ["name"], "properties": {
                    "name": { "type": "string" }, "weight": { "type": "integer", "default": 1 },
                } },
            },
            "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            "replicas": { "type": "integer" },
        },
        "x-kubernetes-validations": [{ "rule": "self.size > 0" }],
    });
    let status = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let schema = json!({ "type": "object", "properties": { "spec": spec, "status": status } });
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage, "schema": { "openAPIV3Schema": schema },
            "subresources": {
                "status": {},
                "scale": { "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas" },
            },
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "kind": "Widget", "plural": "widgets" },
            "versions": [version("v1beta1", false), version("v1", true)],
        },
    })
}

fn widget(spec: Value) -> Value {
    let mut widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" } });
    widget["spec"] = spec;
    widget
}

fn with_widgets() -> Client {
    let client = Client::new();
    let made = client.post(DEFINITIONS, &definition());
    assert_eq!(made.code, 201, "{}", made.body);
    client
}

#[test]
fn a_definition_is_served_at_once() {
    let client = Client::new();
    assert_eq!(client.get(WIDGETS).code, 404);
    let made = client.post(DEFINITIONS, &definition());
    assert_eq!(made.warnings(), [] as [&str; 0]);
    let live = client.get(&format!("{DEFINITIONS}/widgets.example.com")).body;
    let conditions: Vec<_> = live["status"]["conditions"].as_array().expect("conditions").iter().collect();
    assert!(conditions.iter().all(|condition| condition["status"] == "True"), "{conditions:?}");
    assert_eq!(live["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(live["spec"]["names"]["listKind"], "WidgetList");
    let group = client.get("/apis/example.com").body;
    assert_eq!(group["preferredVersion"]["version"], "v1");
    assert_eq!(client.get(WIDGETS).body["kind"], "WidgetList");
}

#[test]
fn a_custom_resource_is_pruned_defaulted_and_checked() {
    let client = with_widgets();
    let spec = json!({ "size": 2, "extra": 1, "parts": [{ "name": "a" }], "free": { "x": 1 } });
    let made = client.post(WIDGETS, &widget(spec.clone()));
    assert_eq!(made.code, 201, "{}", made.body);
    let expected =
        json!({ "size": 2, "mode": "slow", "parts": [{ "name": "a", "weight": 1 }], "free": { "x": 1 } });
    assert_eq!(made.body["spec"], expected);
    assert_eq!(made.warnings(), ["299 - \"unknown field \\\"spec.extra\\\"\""]);
    let strict = client.post(&format!("{WIDGETS}?fieldValidation=Strict"), &widget(spec));
    assert_eq!(strict.code, 400);
    assert!(
        strict.message().ends_with("strict decoding error: unknown field \"spec.extra\""),
        "{}",
        strict.message()
    );

    let cases = [
        (
            json!({ "size": "2" }),
            "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
        ),
        (json!({}), "spec.size: Required value"),
        (
            json!({ "size": 0 }),
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        ),
        (
            json!({ "size": 1, "mode": "odd" }),
            "spec.mode: Unsupported value: \"odd\": supported values: \"fast\", \"slow\"",
        ),
        (
            json!({ "size": 1, "parts": [{ "name": "a" }, { "name": "a" }] }),
            "spec.parts[1]: Duplicate value: {\"name\":\"a\"}",
        ),
    ];
    for (spec, message) in cases {
        let refused = client.post(WIDGETS, &widget(spec));
        let first = refused.body["details"]["causes"][0].clone();
        let text = |key: &str| first[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (refused.code, format!("{}: {}", text("field"), text("message"))),
            (422, message.to_owned())
        );
    }
}

#[test]
fn rules_in_cel_refuse_what_breaks_them() {
    let client = Client::new();
    let mut definition = definition();
    let rules = json!([
        { "rule": "!has(self.mode) || self.mode != 'fast' || self.size < 8", "message": "fast ones are small" },
        { "rule": "self.size >= oldSelf.size" },
    ]);
    for version in 0..2 {
        let place = format!("/spec/versions/{version}/schema/openAPIV3Schema/properties/spec");
        definition.pointer_mut(&place).expect("the schema")["x-kubernetes-validations"] = rules.clone();
    }
    let made = client.post(DEFINITIONS, &definition);
    assert_eq!(made.code, 201, "{}", made.body);
    let refused = client.post(WIDGETS, &widget(json!({ "size": 8, "mode": "fast" })));
    assert!(refused.message().contains("spec: Invalid value: fast ones are small"), "{}", refused.message());
    assert_eq!(client.post(WIDGETS, &widget(json!({ "size": 5, "mode": "fast" }))).code, 201);
    let shrunk = client.merge(&format!("{WIDGETS}/w"), &json!({ "spec": { "size": 4 } }));
    assert!(shrunk.message().ends_with("failed rule: self.size >= oldSelf.size"), "{}", shrunk.message());
}

#[test]
fn an_apply_merges_custom_lists_by_their_keys() {
    let client = with_widgets();
    let path = format!("{WIDGETS}/w");
    client.apply(&path, &widget(json!({ "size": 1, "parts": [{ "name": "a" }] })));
    let other = widget(json!({ "size": 1, "parts": [{ "name": "b", "weight": 5 }] }));
    let merged =
        client.send("PATCH", &format!("{path}?fieldManager=n"), "application/apply-patch+yaml", &other);
    assert_eq!(
        merged.body["spec"]["parts"],
        json!([{ "name": "a", "weight": 1 }, { "name": "b", "weight": 5 }])
    );
    assert_eq!(merged.body["metadata"]["generation"], 2);
}

#[test]
fn versions_status_and_scale_show_the_same_object() {
    let client = with_widgets();
    client.post(WIDGETS, &widget(json!({ "size": 1, "replicas": 2 })));
    let older = client.get("/apis/example.com/v1beta1/namespaces/default/widgets/w").body;
    assert_eq!((&older["apiVersion"], &older["spec"]["size"]), (&json!("example.com/v1beta1"), &json!(1)));
    let status = json!({ "status": { "ok": true }, "spec": { "size": 5 } });
    let written = client.merge(&format!("{WIDGETS}/w/status"), &status).body;
    assert_eq!((&written["status"]["ok"], &written["spec"]["size"]), (&json!(true), &json!(1)));
    assert_eq!(written["metadata"]["generation"], 1);
    let ignored = client.merge(&format!("{WIDGETS}/w"), &json!({ "status": { "ok": false } })).body;
    assert_eq!(ignored["status"]["ok"], true);
    let scaled = client.merge(&format!("{WIDGETS}/w/scale"), &json!({ "spec": { "replicas": 4 } }));
    assert_eq!((scaled.code, &scaled.body["spec"]["replicas"]), (200, &json!(4)), "{}", scaled.body);
    assert_eq!(client.get(&format!("{WIDGETS}/w")).body["spec"]["replicas"], 4);
}

#[test]
fn a_definition_takes_its_objects_along() {
    let client = with_widgets();
    let mut object = widget(json!({ "size": 1 }));
    object["metadata"]["finalizers"] = json!(["example.com/keep"]);
    client.post(WIDGETS, &object);
    let path = format!("{DEFINITIONS}/widgets.example.com");
    assert_eq!(client.delete(&path).code, 200);
    let waiting = client.get(&path).body;
    assert_eq!(waiting["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    object["metadata"]["name"] = json!("x");
    let refused = client.post(WIDGETS, &object);
    assert_eq!(
        (refused.code, refused.message()),
        (
            403,
            "widgets.example.com \"x\" is forbidden: create not allowed while custom resource definition is terminating"
        )
    );
    client.merge(&format!("{WIDGETS}/w"), &json!({ "metadata": { "finalizers": null } }));
    assert_eq!(client.get(&path).code, 404);
    assert_eq!(client.get(WIDGETS).code, 404);
}

#[test]
fn definitions_that_cannot_work_are_refused() {
    let client = Client::new();
    let cases: [(&str, Value, &str); 5] = [
        ("/metadata/name", json!("gadgets.example.com"), "metadata.name"),
        ("/spec/group", json!("example"), "spec.group"),
        ("/spec/scope", json!("Galaxy"), "spec.scope"),
        ("/spec/versions/1/storage", json!(false), "spec.versions"),
        ("/spec/versions/0/schema", json!({}), "spec.versions[0].schema.openAPIV3Schema"),
    ];
    for (place, value, field) in cases {
        let mut bad = definition();
        *bad.pointer_mut(place).expect("the field") = value;
        let refused = client.post(DEFINITIONS, &bad);
        let causes = refused.body["details"]["causes"].as_array().cloned().unwrap_or_default();
        assert_eq!(refused.code, 422, "{place}");
        assert!(causes.iter().any(|cause| cause["field"] == field), "{place}: {causes:?}");
    }
}

#[test]
fn gitops_engines_report_success_once_their_kinds_exist() {
    let client = Client::new();
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    for (group, kind, plural) in [
        ("argoproj.io", "Application", "applications"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"),
    ] {
        let version = json!({
            "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": open },
            "subresources": if group == "argoproj.io" { json!({}) } else { json!({ "status": {} }) },
        });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("{plural}.{group}") },
            "spec": {
                "group": group, "scope": "Namespaced", "names": { "kind": kind, "plural": plural },
                "versions": [version],
            },
        });
        assert_eq!(client.post(DEFINITIONS, &definition).code, 201);
    }
    let object = |group: &str, kind: &str, spec: Value| json!({ "apiVersion": format!("{group}/v1"), "kind": kind, "metadata": { "name": "a" }, "spec": spec });
    let applications = "/apis/argoproj.io/v1/namespaces/default/applications";
    client.post(applications, &object("argoproj.io", "Application", json!({})));
    let manual = client.get(&format!("{applications}/a")).body;
    assert_eq!(
        (&manual["status"]["sync"]["status"], &manual["status"]["health"]["status"]),
        (&json!("OutOfSync"), &json!("Missing"))
    );
    client.merge(&format!("{applications}/a"), &json!({ "spec": { "syncPolicy": { "automated": {} } } }));
    let synced = client.get(&format!("{applications}/a")).body;
    assert_eq!(
        (&synced["status"]["sync"]["status"], &synced["status"]["health"]["status"]),
        (&json!("Synced"), &json!("Healthy"))
    );
    let flux = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations";
    client.post(flux, &object("kustomize.toolkit.fluxcd.io", "Kustomization", json!({ "path": "./" })));
    let ready = client.get(&format!("{flux}/a")).body;
    assert_eq!(ready["status"]["conditions"][0]["type"], "Ready");
    assert_eq!(ready["status"]["observedGeneration"], ready["metadata"]["generation"]);
    assert_eq!(names(&client.get(flux).body), ["a"]);
}
