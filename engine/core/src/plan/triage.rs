//! What the records settle, and who can be asked about the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use crate::digest::{Fingerprint, SealKey};
use crate::graph::ResourceGraph;
use crate::kind_info::{KindInfo, Scope};
use crate::live::{Live, LiveObject};
use crate::manifest::Manifest;
use crate::object_ref::{GroupKind, ObjectRef};
use crate::resource::{Body, Resource};
use crate::state::{ResourceRecord, State};

/// How each desired object is to be predicted. Every desired object is in exactly one of the parts, or its
/// kind is unobserved or unknown.
#[derive(Default)]
pub struct Triage {
    /// Proved unchanged by their record.
    pub settled: HashSet<ObjectRef>,
    /// To be asked of the server, with the kind as it is served.
    pub ask: BTreeMap<ObjectRef, KindInfo>,
    /// To be computed here, with the reason.
    pub simulate: BTreeMap<ObjectRef, String>,
    /// Kinds that neither the cluster serves nor the definition brings.
    pub unknown: BTreeSet<ObjectRef>,
    /// Kinds that could not be listed.
    pub unobserved: BTreeSet<ObjectRef>,
}

/// The digests of all desired manifests.
pub type DesiredPrints = HashMap<ObjectRef, Fingerprint>;

/// Returns the digests of all that is desired; they are needed while reading and while planning.
pub fn desired_prints(graph: &ResourceGraph, key: Option<&SealKey>) -> DesiredPrints {
    let resources = graph.resources().par_iter();
    resources.filter_map(|it| Some((it.object_ref().clone(), it.fingerprint(key)?))).collect()
}

/// Sorts the desired objects by how much the records prove.
pub fn triage(graph: &ResourceGraph, state: &State, live: &Live, desired: &DesiredPrints) -> Triage {
    let mut triage = Triage::default();
    let defined = defined_kinds(graph);
    for resource in graph.in_order() {
        let Body::Object(manifest) = &resource.body else {
            continue;
        };
        let object_ref = manifest.object_ref();
        if live.unobserved(object_ref).is_some() {
            triage.unobserved.insert(object_ref.clone());
            continue;
        }
        let settled = desired.get(object_ref).is_some_and(|desired| {
            is_settled(resource, desired, state.records.get(object_ref), live.get(object_ref))
        });
        if settled {
            triage.settled.insert(object_ref.clone());
            continue;
        }
        match question(manifest, graph, live, &defined) {
            Question::Ask(kind) => drop(triage.ask.insert(object_ref.clone(), kind)),
            Question::Simulate(why) => drop(triage.simulate.insert(object_ref.clone(), why)),
            Question::Unknown => drop(triage.unknown.insert(object_ref.clone())),
        }
    }
    triage
}

/// Returns the reads that need not wait for the apply: everything they depend on is settled.
pub fn ready_reads<'a>(graph: &'a ResourceGraph, triage: &Triage) -> Vec<&'a Resource> {
    let open =
        |resource: &Resource| resource.manifest().is_some_and(|it| !triage.settled.contains(it.object_ref()));
    let late = graph.after(open);
    let resources = graph.resources().iter().enumerate();
    let early =
        resources.filter(|(idx, resource)| matches!(resource.body, Body::Read(_)) && !late.contains(idx));
    early.map(|(_, resource)| resource).collect()
}

/// Tells whether a record proves that nothing changed: the manifest, the object and all that we own of it are
/// what they were.
pub fn is_settled(
    resource: &Resource,
    desired: &Fingerprint,
    record: Option<&ResourceRecord>,
    live: Option<&LiveObject>,
) -> bool {
    let (Some(manifest), Some(record), Some(live)) = (resource.manifest(), record, live) else {
        return false;
    };
    // A moved object is asked about: its mark has to be written, and only the server knows with which exceptions.
    record.address == resource.address
        && manifest.holes().is_empty()
        && record.desired.proves(desired)
        && record.uid == live.uid
        && record.api_version == *manifest.api_version()
        && matches!((&record.settled, &live.settled), (Some(then), Some(now)) if then.proves(now))
}

type DefinedKinds = BTreeMap<(crate::object_ref::ClusterRef, GroupKind), ObjectRef>;

fn defined_kinds(graph: &ResourceGraph) -> DefinedKinds {
    let manifests = graph.resources().iter().filter_map(|resource| resource.manifest());
    manifests
        .filter_map(|manifest| {
            let cluster = manifest.object_ref().cluster.clone();
            Some(((cluster, manifest.defined_kind()?), manifest.object_ref().clone()))
        })
        .collect()
}

enum Question {
    Ask(KindInfo),
    Simulate(String),
    Unknown,
}

fn question(manifest: &Manifest, graph: &ResourceGraph, live: &Live, defined: &DefinedKinds) -> Question {
    let object_ref = manifest.object_ref();
    let Some(cluster) = live.clusters.get(&object_ref.cluster) else {
        return Question::Simulate("its cluster is not observed".into());
    };
    let version = &manifest.api_version().version;
    let Some(kind) = cluster.discovery.find(&object_ref.kind, version) else {
        let comes = defined.contains_key(&(object_ref.cluster.clone(), object_ref.kind.clone()));
        return match comes {
            true => Question::Simulate(format!("kind {} is defined by this plan", object_ref.kind)),
            false => Question::Unknown,
        };
    };
    if !manifest.holes().is_empty() {
        return Question::Simulate("some of its values are known only after apply".into());
    }
    if let (Scope::Namespaced, Some(name)) = (kind.scope, &object_ref.namespace) {
        let namespace = ObjectRef {
            cluster: object_ref.cluster.clone(),
            kind: GroupKind::new("", "Namespace"),
            namespace: None,
            name: name.clone(),
        };
        if graph.find(&namespace).is_some() && !cluster.objects.contains_key(&namespace) {
            return Question::Simulate(format!("namespace {name} is created by this plan"));
        }
    }
    Question::Ask(kind.clone())
}

#[cfg(test)]
mod tests;
