//! Simulated controllers. They run after each request until nothing is left to do, in a fixed order and without
//! timers, so that the next request meets a settled cluster.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/architecture/controller/>

mod act;
mod autoscaling;
mod bound;
mod daemonset;
mod deployment;
pub(crate) mod garbage;
mod gitops;
mod job;
mod namespace;
mod pods;
mod replicaset;
mod roles;
mod statefulset;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::admission;
use crate::cluster::Cluster;
use crate::crd;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::store::Key;

/// How often one object is looked at after one request. Controllers that undo each other's work, as two autoscalers of
/// one target, end here instead of never; the pods of an ordered set need two looks each.
const LOOK_LIMIT: u32 = 1_100;

/// Work for the controllers, each piece once.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    order: VecDeque<Work>,
    known: BTreeSet<Work>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    /// Look at an object that is there.
    Reconcile(Key),
    /// Look at the dependents of an object that is gone, by its uid.
    Orphans(String),
    /// Recount the quotas and budgets of a namespace.
    Recount(String),
}

impl Queue {
    /// Notes a change; `after` is `None` if the object is gone.
    pub fn changed(&mut self, key: &Key, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (_, Some(_)) => self.push(Work::Reconcile(key.clone())),
            (Some(last), None) => {
                self.push(Work::Orphans(meta::uid(last).to_owned()));
                if key.resource == roles::resource() {
                    self.push(Work::Reconcile(key.clone()));
                }
            }
            (None, None) => {}
        }
        for object in [before, after].into_iter().flatten() {
            for owner in meta::items(&object["metadata"]["ownerReferences"]) {
                self.push_owner(owner, &key.namespace);
            }
        }
        let namespace = if key.resource.resource == "namespaces" { &key.name } else { &key.namespace };
        if !namespace.is_empty() {
            self.push(Work::Recount(namespace.clone()));
            self.push(Work::Reconcile(Key::new(&GroupResource::new("", "namespaces"), "", namespace)));
        }
    }

    /// Asks for another look at an object.
    pub fn look_at(&mut self, key: Key) {
        self.push(Work::Reconcile(key));
    }

    // The owner's resource is not looked up here: built-in plurals follow from the kind, and owners of other kinds are
    // no concern of a simulated controller but of garbage collection, which starts from the owner.
    fn push_owner(&mut self, owner: &Value, namespace: &str) {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let Some(kind) = engine_kinds::builtin::all()
            .iter()
            .find(|known| known.kind == text("kind") && known.group == group)
        else {
            return;
        };
        let namespace = if kind.scope == engine_kinds::builtin::Scope::Cluster { "" } else { namespace };
        let resource = GroupResource::new(group, kind.plural);
        self.push(Work::Reconcile(Key::new(&resource, namespace, text("name"))));
    }

    fn push(&mut self, work: Work) {
        if self.known.insert(work.clone()) {
            self.order.push_back(work);
        }
    }

    fn pop(&mut self) -> Option<Work> {
        let work = self.order.pop_front()?;
        self.known.remove(&work);
        Some(work)
    }
}

/// Runs the controllers until nothing is left to do. A controller that is refused, as by a quota, says so in the status
/// of its object; other failures leave the object as it is.
pub(crate) fn settle(cluster: &mut Cluster) {
    let mut looks: BTreeMap<Work, u32> = BTreeMap::new();
    while let Some(work) = cluster.queue.pop() {
        let count = looks.entry(work.clone()).or_default();
        *count += 1;
        if *count > LOOK_LIMIT {
            tracing::warn!(?work, "a simulated controller does not come to rest");
            continue;
        }
        if let Err(error) = perform(cluster, &work) {
            tracing::debug!(?work, %error, "a simulated controller was refused");
        }
    }
}

fn perform(cluster: &mut Cluster, work: &Work) -> ApiResult<()> {
    match work {
        Work::Reconcile(key) => reconcile(cluster, key),
        Work::Orphans(uid) => {
            bound::reclaim(cluster, uid)?;
            garbage::collect(cluster, uid)
        }
        Work::Recount(namespace) => recount(cluster, namespace),
    }
}

// What depends on the other objects of a namespace: quotas, budgets, claims in use, pods that a quota held back.
fn recount(cluster: &mut Cluster, namespace: &str) -> ApiResult<()> {
    admission::refresh_quota(cluster, namespace)?;
    autoscaling::recount(cluster, namespace)?;
    bound::release_claims(cluster, namespace)?;
    for (group, plural) in [("apps", "replicasets"), ("apps", "statefulsets"), ("batch", "jobs")] {
        let resource = GroupResource::new(group, plural);
        let waits = |object: &&std::sync::Arc<Value>| match plural {
            "jobs" => object["status"]["startTime"].is_null(),
            _ => object["status"]["replicas"].as_i64() < object["spec"]["replicas"].as_i64(),
        };
        let waiting = cluster.store.list(&resource, namespace).filter(waits);
        let keys: Vec<_> = waiting.map(|object| Key::new(&resource, namespace, meta::name(object))).collect();
        for key in keys {
            reconcile(cluster, &key)?;
        }
    }
    Ok(())
}

/// Sets the status of an object, if it differs.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn set_status(cluster: &mut Cluster, key: &Key, status: &Value) -> ApiResult<()> {
    act::update_status(cluster, key, |object| object["status"] = status.clone())
}

/// Sets the status of an object under the name of another component, if it differs.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn set_status_as(
    cluster: &mut Cluster,
    key: &Key,
    manager: &str,
    status: &Value,
) -> ApiResult<()> {
    act::update_status_as(cluster, key, manager, |object| object["status"] = status.clone())
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    if key.resource == roles::resource() {
        roles::aggregate(cluster)?;
    }
    let Some(object) = cluster.store.get(key).cloned() else { return Ok(()) };
    if meta::is_terminating(&object) {
        garbage::finalize(cluster, key, &object)?;
    } else {
        garbage::check_owners(cluster, key, &object)?;
    }
    match (key.resource.group.as_str(), key.resource.resource.as_str()) {
        ("", "namespaces") => namespace::reconcile(cluster, key),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::establish(cluster, key),
        // The node has ended the containers.
        ("", "pods") if meta::is_terminating(&object) && meta::finalizers(&object).is_empty() => {
            cluster.erase(key)
        }
        ("", "persistentvolumes") if meta::is_terminating(&object) => bound::release_volume(cluster, key),
        ("storage.k8s.io", "volumeattributesclasses") if meta::is_terminating(&object) => {
            bound::release_class(cluster, key)
        }
        _ if meta::is_terminating(&object) => Ok(()),
        ("apps", "deployments") => deployment::reconcile(cluster, key),
        ("apps", "replicasets") => replicaset::reconcile(cluster, key),
        ("apps", "statefulsets") => statefulset::reconcile(cluster, key),
        ("apps", "daemonsets") => daemonset::reconcile(cluster, key),
        ("batch", "jobs") => job::reconcile(cluster, key),
        ("", "nodes") => bound::node(cluster, key),
        ("", "pods") => pods::reconcile(cluster, key),
        ("", "persistentvolumeclaims") => bound::claim(cluster, key),
        ("", "services") => bound::service(cluster, key),
        ("networking.k8s.io", "ingresses") => bound::ingress(cluster, key),
        ("apiregistration.k8s.io", "apiservices") => bound::api_service(cluster, key),
        ("autoscaling", "horizontalpodautoscalers") => autoscaling::autoscaler(cluster, key),
        _ => gitops::reconcile(cluster, key),
    }
}
