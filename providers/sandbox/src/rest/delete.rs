//! Deletes objects, at once or when their finalizers allow.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/> and
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>

use serde_json::{Value, json};

use super::deletion::{DeleteOptions, Propagation};
use super::list::{Page, list};
use crate::cluster::Cluster;
use crate::controllers::garbage::{FOREGROUND, ORPHAN};
use crate::convert;
use crate::crd;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::request::{DryRun, Params};
use crate::resource::Resource;
use crate::store::Key;

/// Namespaces that Kubernetes does not let go.
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];

/// Built-in resources whose deletion answers with the object instead of a Status.
const ANSWERED_WITH_OBJECT: [(&str, &str); 17] = [
    ("", "namespaces"),
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("", "pods"),
    ("", "podtemplates"),
    ("", "resourcequotas"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("resource.k8s.io", "deviceclasses"),
    ("resource.k8s.io", "resourceclaims"),
    ("resource.k8s.io", "resourceclaimtemplates"),
    ("resource.k8s.io", "resourceslices"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
    ("storage.k8s.io", "volumeattributesclasses"),
];

/// What a deletion came to.
#[derive(Debug)]
pub(crate) struct Deletion {
    /// The object, if it remains for now, else mostly a Status.
    pub answer: Value,
    /// Whether the object is gone.
    pub is_done: bool,
    /// A text for a `Warning` header.
    pub warning: Option<&'static str>,
}

/// Deletes one object.
///
/// # Errors
/// 404 if it is absent, 409 if a precondition does not hold, 403 for the namespaces that must stay.
pub(crate) fn delete(
    cluster: &mut Cluster,
    resource: &Resource,
    at: &Key,
    options: &DeleteOptions,
) -> ApiResult<Deletion> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    let is_namespace = resource.is("", "namespaces");
    if is_namespace && IMMORTAL.contains(&at.name.as_str()) {
        return Err(ApiError::forbidden(&at.resource, &at.name, "this namespace may not be deleted".into()));
    }
    check_preconditions(resource, &live, options)?;
    let doomed = doom(resource, &live, options);
    let stays = !meta::finalizers(&doomed).is_empty()
        || (is_namespace && !meta::items(&doomed["spec"]["finalizers"]).is_empty())
        || doomed["metadata"]["deletionGracePeriodSeconds"].as_i64() > Some(0);
    let warning = warning(resource, options);
    let shows_object = ANSWERED_WITH_OBJECT.iter().any(|(group, plural)| resource.is(group, plural));
    let answer = if stays || shows_object { doomed.clone() } else { success(&at.resource, &doomed) };
    if options.dry_run == DryRun::Yes || (stays && doomed == *live) {
        return Ok(Deletion { answer, is_done: !stays, warning });
    }
    if !stays {
        cluster.erase(at)?;
        let mut answer = answer;
        if shows_object {
            meta::set(&mut answer, "resourceVersion", json!(cluster.store.version().to_string()));
        }
        return Ok(Deletion { answer, is_done: true, warning });
    }
    let stored = cluster.commit(at, doomed)?;
    let answer = Value::clone(&convert::to_version(resource, &stored));
    Ok(Deletion { answer, is_done: false, warning })
}

/// Deletes the objects of a list and returns the list as it was, with a text for a `Warning` header.
///
/// # Errors
/// As [`list`] and, at the first object that refuses, as [`delete`].
pub(crate) fn delete_collection(
    cluster: &mut Cluster,
    resource: &Resource,
    namespace: &str,
    query: &Params,
    options: &DeleteOptions,
) -> ApiResult<(Page, Option<&'static str>)> {
    let page = list(cluster, resource, namespace, query)?;
    for object in &page.items {
        let key = Cluster::key(resource, meta::namespace(object), meta::name(object));
        delete(cluster, resource, &key, options)?;
    }
    Ok((page, warning(resource, options)))
}

// Kubernetes names the kind where it names the resource elsewhere, except for namespaces.
fn check_preconditions(resource: &Resource, live: &Value, options: &DeleteOptions) -> ApiResult<()> {
    let is_namespace = resource.is("", "namespaces");
    let noun = if is_namespace { &resource.plural } else { &resource.kind };
    let conflict = |what: &str, field: &str, wanted: &str, found: &str, may: &str| {
        let why = if is_namespace {
            format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}")
        } else {
            format!(
                "the {field} in the precondition ({wanted}) does not match the {field} in record ({found}). The \
                 object might have been {may}"
            )
        };
        let resource = GroupResource::new(&resource.group, noun);
        Err(ApiError::Conflict { resource, name: meta::name(live).to_owned(), why })
    };
    let (uid, version) = (meta::uid(live), meta::text(live, "resourceVersion"));
    match (&options.uid, &options.version) {
        (Some(wanted), _) if wanted != uid => {
            conflict("UID", "UID", wanted, uid, "deleted and then recreated")
        }
        (_, Some(wanted)) if wanted != version => {
            conflict("ResourceVersion", "ResourceVersion", wanted, version, "modified")
        }
        _ => Ok(()),
    }
}

fn warning(resource: &Resource, options: &DeleteOptions) -> Option<&'static str> {
    let orphans_unasked = resource.is("batch", "jobs") && options.propagation.is_none();
    orphans_unasked.then_some(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or \
         set propagationPolicy=Orphan to suppress this warning",
    )
}

// The object as it is from now on, or was at its end.
fn doom(resource: &Resource, live: &Value, options: &DeleteOptions) -> Value {
    if resource.group_resource() == crd::resource() && !meta::is_terminating(live) {
        return crd::marked_for_deletion(live);
    }
    let mut doomed = live.clone();
    let grace = if resource.is("", "pods") { grace(live, options) } else { None };
    let is_pending = resource.is("", "pods") && meta::is_terminating(live) && grace.is_none();
    if is_pending && live["metadata"]["deletionGracePeriodSeconds"].as_i64() > Some(0) {
        return doomed;
    }
    if !resource.is("", "events") {
        let finalizers = finalizers(resource, live, options);
        let finalizers = if finalizers.is_empty() { Value::Null } else { json!(finalizers) };
        meta::set(&mut doomed, "finalizers", finalizers);
    }
    if resource.is("", "namespaces") {
        if !meta::is_terminating(live) {
            meta::set(&mut doomed, "deletionTimestamp", json!(meta::now()));
            doomed["status"]["phase"] = json!("Terminating");
        }
        return doomed;
    }
    let waits = !meta::finalizers(&doomed).is_empty();
    if grace.is_none() && !waits {
        return doomed;
    }
    if !meta::is_terminating(live) && meta::generation(live) > 0 {
        meta::set(&mut doomed, "generation", json!(meta::generation(live) + 1));
    }
    if grace.is_some() || !meta::is_terminating(live) {
        meta::set(&mut doomed, "deletionTimestamp", json!(meta::after(grace.unwrap_or(0))));
    }
    meta::set(&mut doomed, "deletionGracePeriodSeconds", json!(grace.unwrap_or(0)));
    doomed
}

// How many seconds a pod has left to end; `None` if the deletion sets no new term.
fn grace(pod: &Value, options: &DeleteOptions) -> Option<i64> {
    let asked = options.grace_seconds.map(|seconds| if seconds < 0 { 1 } else { seconds });
    if meta::is_terminating(pod) {
        let current = pod["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
        return asked.filter(|seconds| *seconds < current);
    }
    let is_over = matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    let is_unscheduled = pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty);
    if is_over || is_unscheduled {
        return Some(0);
    }
    Some(asked.or(pod["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(0))
}

// Garbage collection is asked for by finalizers; those that are there count unless the options say otherwise.
fn finalizers<'a>(resource: &Resource, live: &'a Value, options: &DeleteOptions) -> Vec<&'a str> {
    let there = meta::finalizers(live);
    let orphans_by_default = resource.is("batch", "jobs") || resource.is("", "replicationcontrollers");
    let propagation = match options.propagation {
        Some(propagation) => propagation,
        None if there.contains(&ORPHAN) => Propagation::Orphan,
        None if there.contains(&FOREGROUND) => Propagation::Foreground,
        None if orphans_by_default => Propagation::Orphan,
        None => Propagation::Background,
    };
    let mut finalizers: Vec<_> =
        there.into_iter().filter(|name| ![FOREGROUND, ORPHAN].contains(name)).collect();
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(FOREGROUND),
        Propagation::Orphan => finalizers.push(ORPHAN),
    }
    finalizers
}

fn success(resource: &GroupResource, object: &Value) -> Value {
    let mut details =
        json!({ "name": meta::name(object), "kind": resource.resource, "uid": meta::uid(object) });
    if !resource.group.is_empty() {
        details["group"] = json!(resource.group);
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
