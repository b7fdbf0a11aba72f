//! What clusters hold besides the environment, as far as its objects depend on it: quotas, limits, classes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::graph::{ResourceGraph, pod_spec};
use crate::live::Live;
use crate::manifest::Manifest;
use crate::object::Object;
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef};
use crate::plan::triage::Triage;
use crate::value::{Text, Value};

/// Whatever of some kinds there is, ours and that of others. What was not read, or must not be, is not there: nothing
/// is known of it.
#[derive(Default)]
pub struct Surroundings(BTreeMap<(ClusterRef, GroupKind), BTreeMap<ObjectRef, Object>>);

/// A list to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Where.
    pub cluster: ClusterRef,
    /// Of what.
    pub kind: GroupKind,
    /// The namespaces that matter; none for a kind outside of namespaces.
    pub namespaces: BTreeSet<Text>,
}

impl Surroundings {
    /// Adds a list that was read to its end.
    pub fn insert(&mut self, cluster: ClusterRef, kind: GroupKind, objects: BTreeMap<ObjectRef, Object>) {
        self.0.insert((cluster, kind), objects);
    }

    /// Tells whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all quotas and limit ranges.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = (&ObjectRef, &Object)> {
        let is_bound = |kind: &GroupKind| kind.is("", "ResourceQuota") || kind.is("", "LimitRange");
        self.0.iter().filter(move |((_, kind), _)| is_bound(kind)).flat_map(|(_, objects)| objects)
    }

    /// Returns all objects of a kind, `None` if they are not known.
    pub fn of(
        &self,
        cluster: &ClusterRef,
        (group, kind): (&str, &str),
    ) -> Option<&BTreeMap<ObjectRef, Object>> {
        self.0.get(&(cluster.clone(), GroupKind::new(group, kind)))
    }
}

/// Returns what is to be read, given what is not settled: nothing for a plan without changes.
pub fn needed(graph: &ResourceGraph, triage: &Triage, live: &Live) -> Vec<Needed> {
    let mut found: BTreeMap<(ClusterRef, GroupKind), BTreeSet<Text>> = BTreeMap::new();
    let created = created_namespaces(graph, live);
    for object_ref in triage.ask.keys().chain(triage.simulate.keys()) {
        let Some(manifest) = graph.find(object_ref).and_then(|it| it.manifest()) else { continue };
        let is_new = live.get(object_ref).is_none();
        for (group, kind, is_namespaced) in needs(manifest, is_new) {
            let namespace = object_ref.namespace.as_ref().filter(|_| is_namespaced);
            // Nothing is in a namespace yet that this plan creates.
            if is_namespaced && namespace.is_none_or(|it| created.contains(&(&object_ref.cluster, it))) {
                continue;
            }
            let key = (object_ref.cluster.clone(), GroupKind::new(group, kind));
            found.entry(key).or_default().extend(namespace.cloned());
        }
    }
    let needed = found.into_iter();
    needed.map(|((cluster, kind), namespaces)| Needed { cluster, kind, namespaces }).collect()
}

fn created_namespaces<'a>(graph: &'a ResourceGraph, live: &Live) -> HashSet<(&'a ClusterRef, &'a Text)> {
    let declared = graph.resources().iter().filter_map(|it| Some(it.manifest()?.object_ref()));
    declared
        .filter(|it| it.kind.is("", "Namespace") && live.get(it).is_none())
        .map(|it| (&it.cluster, &it.name))
        .collect()
}

const QUOTA: (&str, &str, bool) = ("", "ResourceQuota", true);
const LIMITS: (&str, &str, bool) = ("", "LimitRange", true);
const VOLUME: (&str, &str, bool) = ("", "PersistentVolume", false);
const STORAGE_CLASS: (&str, &str, bool) = ("storage.k8s.io", "StorageClass", false);
const INGRESS_CLASS: (&str, &str, bool) = ("networking.k8s.io", "IngressClass", false);
const PRIORITY_CLASS: (&str, &str, bool) = ("scheduling.k8s.io", "PriorityClass", false);

/// Returns the kinds that an object depends on, each with whether it is namespaced.
fn needs(manifest: &Manifest, is_new: bool) -> BTreeSet<(&'static str, &'static str, bool)> {
    let (kind, body) = (&manifest.object_ref().kind, manifest.body());
    let mut needed = BTreeSet::new();
    if is_new {
        needed.insert(QUOTA);
    }
    if let Some(spec) = pod_spec(body).filter(|_| crate::kind_info::builtin_scope(kind).is_some()) {
        needed.extend([QUOTA, LIMITS]);
        needed.extend(spec.get("priorityClassName").map(|_| PRIORITY_CLASS));
    }
    let claims = body.at(&["spec", "volumeClaimTemplates"]).and_then(Value::as_list);
    if kind.is("", "PersistentVolumeClaim") || claims.is_some_and(|claims| !claims.is_empty()) {
        needed.insert(QUOTA);
        needed.extend([STORAGE_CLASS, VOLUME].into_iter().filter(|_| is_new));
    }
    if kind.is("networking.k8s.io", "Ingress") {
        needed.insert(INGRESS_CLASS);
    }
    // What scales others changes how many pods they have.
    if kind.is("autoscaling", "HorizontalPodAutoscaler") {
        needed.insert(QUOTA);
    }
    needed
}

#[cfg(test)]
mod tests;
