//! How controllers write: through the same verbs as clients, under the names of Kubernetes' components.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult};
use crate::merge::Force;
use crate::meta;
use crate::rbac::User;
use crate::request::{DryRun, FieldValidation, WriteOptions};
use crate::rest::{self, DeleteOptions, Propagation, Writing};
use crate::store::Key;

/// The field manager of most controllers.
const CONTROLLER_MANAGER: &str = "kube-controller-manager";

fn options(manager: &str) -> WriteOptions {
    WriteOptions {
        dry_run: DryRun::No,
        validation: FieldValidation::Ignore,
        force: Force::Yes,
        manager: manager.to_owned(),
        user: User::admin(),
        duplicates: Vec::new(),
    }
}

/// Creates an object of a built-in kind.
///
/// # Errors
/// As a client's create, as by a quota.
pub(super) fn create(cluster: &mut Cluster, namespace: &str, object: Value) -> ApiResult<()> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let found = cluster.catalog.of_kind(text("apiVersion"), text("kind")).cloned();
    let resource = found.ok_or(ApiError::NoSuchPath)?;
    let options = options(CONTROLLER_MANAGER);
    let writing = Writing { options: &options, subresource: "" };
    rest::create(cluster, &resource, namespace, object, &writing).map(drop)
}

/// Changes an object.
///
/// # Errors
/// As a client's update.
pub(super) fn edit(cluster: &mut Cluster, key: &Key, change: impl FnOnce(&mut Value)) -> ApiResult<()> {
    write(cluster, key, CONTROLLER_MANAGER, "", change)
}

/// Changes an object's status.
///
/// # Errors
/// As a client's update of the status.
pub(super) fn update_status(
    cluster: &mut Cluster,
    key: &Key,
    change: impl FnOnce(&mut Value),
) -> ApiResult<()> {
    write(cluster, key, CONTROLLER_MANAGER, "status", change)
}

/// Changes an object's status under the name of another component.
///
/// # Errors
/// As a client's update of the status.
pub(super) fn update_status_as(
    cluster: &mut Cluster,
    key: &Key,
    manager: &str,
    change: impl FnOnce(&mut Value),
) -> ApiResult<()> {
    write(cluster, key, manager, "status", change)
}

/// Applies a configuration by force.
///
/// # Errors
/// As a client's server-side apply.
pub(super) fn apply_as(cluster: &mut Cluster, key: &Key, manager: &str, applied: Value) -> ApiResult<()> {
    let Some(resource) = cluster.catalog.preferred(&key.resource).cloned() else { return Ok(()) };
    let options = options(manager);
    let writing = Writing { options: &options, subresource: "" };
    rest::apply(cluster, &resource, key, (applied, None), &writing).map(drop)
}

/// Changes the finalizers in the spec of a namespace.
///
/// # Errors
/// As a client's update of the finalizers.
pub(super) fn finalize(cluster: &mut Cluster, key: &Key, change: impl FnOnce(&mut Value)) -> ApiResult<()> {
    write(cluster, key, CONTROLLER_MANAGER, "finalize", change)
}

/// Sets the replicas of an object through its scale.
///
/// # Errors
/// As a client's update of the scale.
pub(super) fn scale(cluster: &mut Cluster, key: &Key, replicas: i64) -> ApiResult<()> {
    write(cluster, key, CONTROLLER_MANAGER, "scale", |object| {
        if let Some(spec) = meta::child(object, "spec") {
            spec.insert("replicas".into(), json!(replicas));
        }
    })
}

fn write(
    cluster: &mut Cluster,
    key: &Key,
    manager: &str,
    subresource: &str,
    change: impl FnOnce(&mut Value),
) -> ApiResult<()> {
    let Some(resource) = cluster.catalog.preferred(&key.resource).cloned() else { return Ok(()) };
    let live = cluster.live(&resource, &key.namespace, &key.name)?;
    let mut object = Value::clone(&live);
    change(&mut object);
    if object == *live {
        return Ok(());
    }
    let options = options(manager);
    let subresource = if resource.has(subresource) { subresource } else { "" };
    let writing = Writing { options: &options, subresource };
    rest::replace(cluster, &resource, key, object, &writing).map(drop)
}

/// Deletes an object; its dependents follow.
///
/// # Errors
/// If the deletion cannot be written to disk.
pub(super) fn delete(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    delete_with(cluster, key, Propagation::Background)
}

/// Deletes an object after its dependents.
///
/// # Errors
/// If the deletion cannot be written to disk.
pub(super) fn delete_foreground(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let is_marked = cluster.store.get(key).is_none_or(|object| meta::is_terminating(object));
    if is_marked { Ok(()) } else { delete_with(cluster, key, Propagation::Foreground) }
}

fn delete_with(cluster: &mut Cluster, key: &Key, propagation: Propagation) -> ApiResult<()> {
    let Some(resource) = cluster.catalog.preferred(&key.resource).cloned() else {
        return cluster.erase(key);
    };
    match rest::delete(cluster, &resource, key, &DeleteOptions::plain(propagation)) {
        Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lays conditions over those an object has, by type. A condition that stays as it is keeps its times.
pub(super) fn set_conditions(object: &mut Value, conditions: &[Value]) {
    let now = json!(meta::now());
    let Some(status) = meta::child(object, "status") else { return };
    let list = status.entry("conditions").or_insert_with(|| json!([]));
    if !list.is_array() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else { return };
    for condition in conditions {
        let mut new = condition.clone();
        let found = list.iter_mut().find(|old| old["type"] == new["type"]);
        let Some(old) = found else {
            new["lastTransitionTime"] = now.clone();
            list.push(new);
            continue;
        };
        let is_same = ["status", "reason", "message"].map(|field| old[field] == new[field]);
        let transition = if is_same[0] { &old["lastTransitionTime"] } else { &now };
        new["lastTransitionTime"] = transition.clone();
        if new.get("lastUpdateTime").is_some() {
            let update = if is_same == [true; 3] { &old["lastUpdateTime"] } else { &now };
            new["lastUpdateTime"] = update.clone();
        }
        *old = new;
    }
}
