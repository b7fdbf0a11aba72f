//! What was found on the clusters.

use std::collections::{BTreeMap, HashMap};

use crate::digest::Fingerprint;
use crate::kind_info::Discovery;
use crate::object::Object;
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef, Uid};
use crate::surroundings::Surroundings;
use crate::value::Text;

/// Everything read for one plan.
#[derive(Default)]
pub struct Live {
    /// Per cluster.
    pub clusters: BTreeMap<ClusterRef, LiveCluster>,
    /// What its objects depend on, and is not ours.
    pub surroundings: Surroundings,
}

/// One cluster as found.
pub struct LiveCluster {
    /// The uid of its namespace `kube-system`.
    pub uid: Uid,
    /// What it serves.
    pub discovery: Discovery,
    /// Objects that carry our mark, are recorded, or are desired and could be met.
    pub objects: HashMap<ObjectRef, LiveObject>,
    /// Who owns those of them that have owners, also of what is no part of a plan.
    pub owners: BTreeMap<ObjectRef, Vec<Uid>>,
    /// Kinds (in one namespace, or everywhere) that could not be listed, with the reason.
    pub unobserved: BTreeMap<(GroupKind, Option<Text>), String>,
}

/// One object as found.
pub struct LiveObject {
    /// Its uid.
    pub uid: Uid,
    /// The digest to compare with a record's `settled`; `None` without an entry of ours, and of what is
    /// not in the definition.
    pub settled: Option<Fingerprint>,
    /// The whole object, kept only where the record does not settle it.
    pub object: Option<Object>,
}

impl Live {
    /// Returns an object.
    pub fn get(&self, object_ref: &ObjectRef) -> Option<&LiveObject> {
        self.clusters.get(&object_ref.cluster)?.objects.get(object_ref)
    }

    /// Returns why an object could not be observed.
    pub fn unobserved(&self, object_ref: &ObjectRef) -> Option<&str> {
        let unobserved = &self.clusters.get(&object_ref.cluster)?.unobserved;
        let in_namespace = (object_ref.kind.clone(), object_ref.namespace.clone());
        unobserved
            .get(&in_namespace)
            .or_else(|| unobserved.get(&(object_ref.kind.clone(), None)))
            .map(String::as_str)
    }
}
