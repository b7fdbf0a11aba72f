//! Creates an object.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Writing, Written, strategy};
use crate::admission;
use crate::cluster::Cluster;
use crate::decode;
use crate::defaults;
use crate::error::{ApiError, ApiResult};
use crate::merge;
use crate::meta;
use crate::rbac;
use crate::request::DryRun;
use crate::resource::Resource;
use crate::validation;

/// How often a generated name that is taken is drawn again.
const NAME_ATTEMPTS: usize = 8;

/// Creates an object from a request's body.
///
/// # Errors
/// As kube-apiserver: 400 for another kind, 404 for an absent namespace, 403 by admission, 422 by validation, 409 if it
/// exists.
pub(crate) fn create(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    namespace: &str,
    mut object: Value,
    writing: &Writing<'_>,
) -> ApiResult<Written> {
    let mut warnings = decode::read_body(resource, &mut object, writing.options)?;
    place(resource, namespace, &mut object)?;
    if meta::version(&object) != 0 {
        return Err(ApiError::Bare("resourceVersion should not be set on objects to be created".into()));
    }
    meta::set(&mut object, "managedFields", Value::Null);
    defaults::apply(resource, &mut object);
    decode::settle_form(resource, &mut object);
    let time = meta::now();
    let writer = strategy::writer(resource, writing, &time);
    let blank = decode::blank(resource);
    let object = merge::track_update(&resource.schema, Some(&blank), object, &writer);
    insert(cluster, resource, namespace, object, writing).map(|mut written| {
        written.warnings.append(&mut warnings);
        written
    })
}

/// Puts a decoded object with its managed fields into the namespace of the request.
///
/// # Errors
/// As [`create`], from admission on.
pub(super) fn insert(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    namespace: &str,
    mut object: Value,
    writing: &Writing<'_>,
) -> ApiResult<Written> {
    admission::mutate_new(cluster, resource, &mut object)?;
    draw_name(cluster, resource, namespace, &mut object);
    strategy::prepare_new(cluster, resource, &mut object);
    decode::settle_stored_form(resource, &mut object);
    let errors = validation::of_new(resource, &object);
    if !errors.is_empty() {
        let name = meta::name(&object).to_owned();
        return Err(ApiError::Invalid { kind: resource.group_kind(), name, errors });
    }
    let warnings = validation::warnings(resource, &object, None);
    let key = Cluster::key(resource, namespace, meta::name(&object));
    if let Some(live) = cluster.store.get(&key) {
        let is_ending = meta::is_terminating(live);
        return Err(ApiError::AlreadyExists { resource: key.resource, name: key.name, is_ending });
    }
    rbac::check_escalation(cluster, &writing.options.user, resource, None, &object)?;
    admission::check_new(cluster, resource, &object)?;
    let object = match writing.options.dry_run {
        DryRun::Yes => Arc::new(object),
        DryRun::No => cluster.commit(&key, object)?,
    };
    Ok(Written { object, created: true, warnings })
}

/// Makes the object's namespace that of the request.
///
/// # Errors
/// If it names another one.
pub(super) fn place(resource: &Resource, namespace: &str, object: &mut Value) -> ApiResult<()> {
    let stated = meta::namespace(object).to_owned();
    if resource.is_namespaced() && namespace.is_empty() {
        return Err(ApiError::MethodNotAllowed);
    }
    if !namespace.is_empty() && !stated.is_empty() && stated != namespace {
        let text = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(ApiError::BadRequest(text.into()));
    }
    let value = if namespace.is_empty() { Value::Null } else { json!(namespace) };
    meta::set(object, "namespace", value);
    Ok(())
}

// Gives an object without a name one that starts with its generateName.
fn draw_name(cluster: &Cluster, resource: &Resource, namespace: &str, object: &mut Value) {
    let prefix = meta::text(object, "generateName");
    if !meta::name(object).is_empty() || prefix.is_empty() {
        return;
    }
    let prefix: String = prefix.chars().take(58).collect();
    for _ in 0..NAME_ATTEMPTS {
        let name = format!("{prefix}{}", meta::random_suffix(5));
        let is_free = cluster.store.get(&Cluster::key(resource, namespace, &name)).is_none();
        meta::set(object, "name", json!(name));
        if is_free {
            break;
        }
    }
}
