//! `OpenAPI` documents that say which paths take `fieldValidation`, so that kubectl leaves validation to the server. They
//! hold no schemas.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3>

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::resource::{Catalog, Resource};

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
    (!paths.is_empty()).then(|| {
        json!({ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "v1.36.3" }, "paths": paths })
    })
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
