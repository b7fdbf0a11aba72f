//! Objects live in namespaces that exist and are not going away.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle>

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::crd;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::resource::Resource;
use crate::store::Key;

/// Checks the namespace of a new object.
///
/// # Errors
/// 404 if it is absent, 403 if it is terminating.
pub(super) fn check(cluster: &Cluster, resource: &Resource, object: &Value) -> ApiResult<()> {
    if let Some(custom) = &resource.custom {
        let definition = cluster.store.get(&Key::new(&crd::resource(), "", &custom.definition));
        if definition.is_some_and(|definition| meta::is_terminating(definition)) {
            let why = "create not allowed while custom resource definition is terminating";
            return Err(ApiError::forbidden(&resource.group_resource(), meta::name(object), why.into()));
        }
    }
    if !resource.is_namespaced() {
        return Ok(());
    }
    let namespace = meta::namespace(object);
    let Some(found) = cluster.store.find("", "namespaces", "", namespace) else {
        return Err(ApiError::not_found(&GroupResource::new("", "namespaces"), namespace));
    };
    if !meta::is_terminating(found) {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let message = format!("namespace {namespace} is being terminated");
    let cause =
        json!({ "reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace" });
    let name = meta::stated_name(object).to_owned();
    Err(ApiError::Forbidden { resource: resource.group_resource(), name, why, causes: vec![cause] })
}
