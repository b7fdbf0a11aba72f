//! Admission: what is let in, and what is added on the way.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/>

mod addresses;
mod limits;
mod namespaces;
pub(crate) mod pods;
mod quota;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::resource::Resource;

pub(crate) use quota::refresh as refresh_quota;

/// Completes a new object, or refuses it.
///
/// # Errors
/// 404 if the namespace is absent; 403 if it is terminating or a policy forbids the object.
pub(crate) fn mutate_new(cluster: &Cluster, resource: &Resource, object: &mut Value) -> ApiResult<()> {
    namespaces::check(cluster, resource, object)?;
    pods::complete(cluster, resource, object)?;
    limits::apply_defaults(cluster, resource, object);
    Ok(())
}

/// Refuses a new object that is complete, if it breaks limits or quotas.
///
/// # Errors
/// 403 then.
pub(crate) fn check_new(cluster: &Cluster, resource: &Resource, object: &Value) -> ApiResult<()> {
    addresses::check(cluster, resource, object)?;
    limits::check(cluster, resource, object)?;
    quota::check(cluster, resource, None, object)
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
    subresource: &str,
) -> ApiResult<()> {
    if subresource == "status" {
        return Ok(());
    }
    addresses::check(cluster, resource, object)?;
    quota::check(cluster, resource, Some(live), object)
}
