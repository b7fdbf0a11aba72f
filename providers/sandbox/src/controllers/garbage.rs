//! Garbage collection by owner references.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion>

use serde_json::{Value, json};

use super::act;
use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::meta;
use crate::store::Key;

/// The finalizer of an owner that waits for its dependents.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

/// The finalizer of an owner that lets its dependents go.
pub(crate) const ORPHAN: &str = "orphan";

/// Deletes the dependents of an owner that is gone, unless another owner remains.
///
/// # Errors
/// If a deletion cannot be written to disk.
pub(super) fn collect(cluster: &mut Cluster, uid: &str) -> ApiResult<()> {
    for key in cluster.store.dependents(uid) {
        let Some(dependent) = cluster.store.get(&key).cloned() else { continue };
        if other_owner(cluster, &key, &dependent, uid) {
            act::edit(cluster, &key, |object| drop_owner(object, uid))?;
        } else {
            act::delete(cluster, &key)?;
        }
    }
    Ok(())
}

/// Deletes an object all of whose owners are gone.
///
/// # Errors
/// If the deletion cannot be written to disk.
pub(super) fn check_owners(cluster: &mut Cluster, key: &Key, object: &Value) -> ApiResult<()> {
    let has_owners = !meta::items(&object["metadata"]["ownerReferences"]).is_empty();
    if has_owners && !other_owner(cluster, key, object, "") {
        return act::delete(cluster, key);
    }
    Ok(())
}

fn other_owner(cluster: &Cluster, key: &Key, object: &Value, gone: &str) -> bool {
    meta::items(&object["metadata"]["ownerReferences"]).iter().any(|owner| {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        if text("uid") == gone {
            return false;
        }
        // An owner of a kind that is not served may come back.
        let Some(resource) = cluster.catalog.of_kind(text("apiVersion"), text("kind")) else { return true };
        let namespace = if resource.is_namespaced() { key.namespace.as_str() } else { "" };
        let live = cluster.store.get(&Cluster::key(resource, namespace, text("name")));
        live.is_some_and(|live| meta::uid(live) == text("uid"))
    })
}

fn drop_owner(object: &mut Value, uid: &str) {
    let owners = meta::items(&object["metadata"]["ownerReferences"]).iter();
    let rest: Vec<_> = owners.filter(|owner| owner["uid"] != uid).cloned().collect();
    meta::set(object, "ownerReferences", if rest.is_empty() { Value::Null } else { json!(rest) });
}

/// Does what the finalizers of garbage collection stand for, and removes them when it is done.
///
/// # Errors
/// If a change cannot be written to disk.
pub(super) fn finalize(cluster: &mut Cluster, key: &Key, owner: &Value) -> ApiResult<()> {
    let uid = meta::uid(owner).to_owned();
    let finalizers = meta::finalizers(owner);
    if finalizers.contains(&ORPHAN) {
        for dependent in cluster.store.dependents(&uid) {
            act::edit(cluster, &dependent, |object| drop_owner(object, &uid))?;
        }
        return remove_finalizer(cluster, key, ORPHAN);
    }
    if !finalizers.contains(&FOREGROUND) {
        return Ok(());
    }
    for dependent in cluster.store.dependents(&uid) {
        act::delete_foreground(cluster, &dependent)?;
    }
    let blocks = |key: &Key| {
        let object = cluster.store.get(key);
        let owners =
            object.map(|object| meta::items(&object["metadata"]["ownerReferences"])).unwrap_or_default();
        owners.iter().any(|owner| owner["uid"] == uid.as_str() && owner["blockOwnerDeletion"] == true)
    };
    if cluster.store.dependents(&uid).iter().any(blocks) {
        return Ok(());
    }
    remove_finalizer(cluster, key, FOREGROUND)
}

fn remove_finalizer(cluster: &mut Cluster, key: &Key, finalizer: &str) -> ApiResult<()> {
    let Some(live) = cluster.store.get(key).cloned() else { return Ok(()) };
    let rest: Vec<_> = meta::finalizers(&live).into_iter().filter(|name| *name != finalizer).collect();
    if rest.is_empty() {
        return cluster.erase(key);
    }
    let rest = json!(rest);
    act::edit(cluster, key, |object| meta::set(object, "finalizers", rest))
}
