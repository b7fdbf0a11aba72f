//! `OpenAPI` documents that say which paths take `fieldValidation`, so that kubectl leaves validation to the server. Of
//! custom resources they hold the schemas.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3>

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::meta;
use crate::resource::{Catalog, Resource};

const TITLE: &str = "Kubernetes";

const VERSION: &str = "v1.36.3";

/// The answer to `/openapi/v3`.
pub(crate) fn index(catalog: &Catalog) -> Value {
    let roots: BTreeSet<String> = catalog.all().map(|resource| root(resource)).collect();
    let entry = |root: String| {
        let url = format!("/openapi/v3/{root}");
        (root, json!({ "serverRelativeURL": url }))
    };
    let paths: Map<String, Value> = roots.into_iter().map(entry).collect();
    json!({ "paths": paths })
}

/// The document of a group and version, as `apis/apps/v1`; `None` if nothing is served there.
pub(crate) fn document(catalog: &Catalog, wanted: &str) -> Option<Value> {
    let served = catalog.all().filter(|resource| root(resource) == wanted);
    let paths: Map<String, Value> = served.map(|resource| (path(resource), operations(resource))).collect();
    let custom = catalog.all().filter(|resource| root(resource) == wanted);
    let schemas: Map<String, Value> = custom.filter_map(|resource| component(resource)).collect();
    (!paths.is_empty()).then(|| {
        json!({
            "openapi": "3.0.0", "info": { "title": TITLE, "version": VERSION }, "paths": paths,
            "components": { "schemas": schemas },
        })
    })
}

/// The document of version 2: it describes nothing, since clients of this age read version 3 first. What asks for
/// protobuf gets that.
pub(crate) fn second_version(accept: &str) -> (&'static str, Vec<u8>) {
    const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    if !accept.contains("proto-openapi.spec.v2") {
        let document =
            json!({ "swagger": "2.0", "info": { "title": TITLE, "version": VERSION }, "paths": {} });
        return ("application/json", document.to_string().into_bytes());
    }
    // Each field is its number and the mark of bytes, a length, and the bytes.
    let field = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap_or(0);
        [&[number << 3 | 2, length], content].concat()
    };
    let info = [field(1, TITLE.as_bytes()), field(2, VERSION.as_bytes())].concat();
    (PROTOBUF, [field(1, b"2.0"), field(2, &info)].concat())
}

// The schema of a custom resource, as its definition states it. Built-in kinds are not described.
fn component(resource: &Resource) -> Option<(String, Value)> {
    let mut schema = resource.custom.as_ref()?.schema.clone();
    let mut labels: Vec<&str> = resource.group.split('.').collect();
    labels.reverse();
    let text = |description: &str| json!({ "type": "string", "description": description });
    let properties = meta::child(&mut schema, "properties")?;
    properties
        .insert("apiVersion".into(), text("The group and version of this representation of the object."));
    properties.insert("kind".into(), text("The kind of the object."));
    let metadata =
        json!({ "type": "object", "description": "Names, labels and what else every object has." });
    properties.insert("metadata".into(), metadata);
    let kinds = json!([{ "group": resource.group, "version": resource.version, "kind": resource.kind }]);
    meta::put(&mut schema, "x-kubernetes-group-version-kind", Some(kinds));
    Some((format!("{}.{}.{}", labels.join("."), resource.version, resource.kind), schema))
}

fn root(resource: &Resource) -> String {
    let prefix = if resource.group.is_empty() { "api" } else { "apis" };
    format!("{prefix}/{}", resource.api_version)
}

fn path(resource: &Resource) -> String {
    let place = if resource.is_namespaced() { "namespaces/{namespace}/" } else { "" };
    format!("/{}/{place}{}/{{name}}", root(resource), resource.plural)
}

fn operations(resource: &Resource) -> Value {
    let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let parameters = ["dryRun", "fieldManager", "fieldValidation"].map(parameter);
    json!({ "patch": {
        "parameters": parameters,
        "responses": { "200": { "description": "OK" } },
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {
            "group": resource.group, "version": resource.version, "kind": resource.kind,
        },
    } })
}
