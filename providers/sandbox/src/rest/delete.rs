//! Deletes objects, at once or when their finalizers allow.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/> and
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::controllers::garbage::{FOREGROUND, ORPHAN};
use crate::convert;
use crate::crd;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::request::{DeleteOptions, DryRun, Propagation};
use crate::resource::Resource;
use crate::selector::Selector;
use crate::store::Key;

/// Namespaces that Kubernetes does not let go.
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];

/// Built-in resources whose deletion answers with the object instead of a Status.
const ANSWERED_WITH_OBJECT: [(&str, &str); 11] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "persistentvolumes"),
    ("", "persistentvolumeclaims"),
    ("", "resourcequotas"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
];

/// Deletes one object and returns what to answer: the object if it remains for now, else mostly a Status.
///
/// # Errors
/// 404 if it is absent, 409 if a precondition does not hold, 403 for the namespaces that must stay.
pub(crate) fn delete(
    cluster: &mut Cluster,
    resource: &Resource,
    at: &Key,
    options: &DeleteOptions,
) -> ApiResult<Value> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    if resource.is("", "namespaces") && IMMORTAL.contains(&at.name.as_str()) {
        return Err(ApiError::forbidden(&at.resource, &at.name, "this namespace may not be deleted".into()));
    }
    check_preconditions(&live, options)?;
    let doomed = mark(resource, &live, options.propagation);
    let stays =
        !meta::finalizers(&doomed).is_empty() || !meta::items(&doomed["spec"]["finalizers"]).is_empty();
    let answer =
        if stays || ANSWERED_WITH_OBJECT.contains(&(resource.group.as_str(), resource.plural.as_str())) {
            doomed.clone()
        } else {
            success(&at.resource, &doomed)
        };
    match (options.dry_run, stays) {
        (DryRun::Yes, _) => Ok(answer),
        (DryRun::No, false) => cluster.erase(at).map(|()| answer),
        (DryRun::No, true) if doomed == *live => Ok(answer),
        (DryRun::No, true) => {
            let stored = cluster.commit(at, doomed)?;
            Ok(Value::clone(&convert::to_version(resource, &stored)))
        }
    }
}

/// Deletes the selected objects of a resource and returns those it was asked of.
///
/// # Errors
/// As [`delete`], at the first object that refuses.
pub(crate) fn delete_collection(
    cluster: &mut Cluster,
    resource: &Resource,
    namespace: &str,
    selector: &Selector,
    options: &DeleteOptions,
) -> ApiResult<Vec<Arc<Value>>> {
    let selected =
        cluster.store.list(&resource.group_resource(), namespace).filter(|object| selector.matches(object));
    let selected: Vec<_> = selected.cloned().collect();
    for object in &selected {
        let key = Cluster::key(resource, meta::namespace(object), meta::name(object));
        delete(cluster, resource, &key, options)?;
    }
    Ok(selected)
}

// Kubernetes names no resource in these two conflicts.
fn check_preconditions(live: &Value, options: &DeleteOptions) -> ApiResult<()> {
    let conflict = |why| {
        let resource = GroupResource::new("", "");
        Err(ApiError::Conflict { resource, name: meta::name(live).to_owned(), why })
    };
    let (uid, version) = (meta::uid(live), meta::text(live, "resourceVersion"));
    match (&options.uid, &options.version) {
        (Some(wanted), _) if wanted != uid => conflict(format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have \
             been deleted and then recreated"
        )),
        (_, Some(wanted)) if wanted != version => conflict(format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
             ({version}). The object might have been modified"
        )),
        _ => Ok(()),
    }
}

// The object as it is while it waits for its finalizers.
fn mark(resource: &Resource, live: &Value, propagation: Propagation) -> Value {
    if resource.group_resource() == crd::resource() && !meta::is_terminating(live) {
        return crd::marked_for_deletion(live);
    }
    let mut doomed = live.clone();
    let mut finalizers: Vec<&str> =
        meta::finalizers(live).into_iter().filter(|name| ![FOREGROUND, ORPHAN].contains(name)).collect();
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(FOREGROUND),
        Propagation::Orphan => finalizers.push(ORPHAN),
    }
    let finalizers = if finalizers.is_empty() { Value::Null } else { json!(finalizers) };
    if !meta::is_terminating(live) {
        meta::set(&mut doomed, "deletionTimestamp", json!(meta::now()));
        let is_namespace = resource.is("", "namespaces");
        if is_namespace {
            doomed["status"]["phase"] = json!("Terminating");
        } else {
            let grace = if resource.is("", "pods") {
                &live["spec"]["terminationGracePeriodSeconds"]
            } else {
                &json!(0)
            };
            meta::set(&mut doomed, "deletionGracePeriodSeconds", grace.clone());
        }
        if meta::generation(live) > 0 {
            meta::set(&mut doomed, "generation", json!(meta::generation(live) + 1));
        }
    }
    meta::set(&mut doomed, "finalizers", finalizers);
    doomed
}

fn success(resource: &GroupResource, object: &Value) -> Value {
    let mut details =
        json!({ "name": meta::name(object), "kind": resource.resource, "uid": meta::uid(object) });
    if !resource.group.is_empty() {
        details["group"] = json!(resource.group);
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
