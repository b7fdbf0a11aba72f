//! What a deletion would take along: a Namespace goes with all that lies in it, a `CustomResourceDefinition`
//! with all objects of its kind, an owner with what nobody else owns.

mod owned;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::diagnostic::Diagnostic;
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef};
use crate::plan::{Action, Change, PlanInput, faults};
use crate::resource::Resource;
use crate::state::ResourceRecord;
use crate::value::Text;

/// What one deletion must not take along.
#[derive(Default)]
pub(super) struct TakenAlong<'a> {
    /// Objects that the definition still has.
    pub(super) declared: Vec<&'a Resource>,
    /// Objects whose record has `prevent_destroy`.
    pub(super) protected: Vec<(&'a ObjectRef, &'a ResourceRecord)>,
    /// Objects that leave the state and are to stay.
    pub(super) released: Vec<(&'a ObjectRef, &'a ResourceRecord)>,
    /// Objects that are no part of this plan.
    pub(super) left_out: Vec<(&'a ObjectRef, &'a ResourceRecord)>,
}

/// Returns one error for each deletion that takes along what is declared or protected.
///
/// Without observed clusters nothing tells which kind a `CustomResourceDefinition` defines, and only Namespaces
/// are judged; such a plan is never applied.
///
/// # Source
/// Kubernetes, Namespaces, "deleting a namespace"; Custom Resources, "delete a `CustomResourceDefinition`"; Garbage
/// Collection, "Cascading deletion".
pub(super) fn losses(changes: &[Change], input: &PlanInput<'_>) -> Vec<Diagnostic> {
    let containers = Containers::of(changes, input);
    if containers.is_empty() {
        return Vec::new();
    }
    let mut taken: BTreeMap<usize, TakenAlong<'_>> = BTreeMap::new();
    for resource in input.graph.in_order().filter(|resource| resource.manifest().is_some()) {
        for change in containers.holding(resource.object_ref()) {
            taken.entry(change).or_default().declared.push(resource);
        }
    }
    let is_gone = |object_ref: &ObjectRef| {
        input
            .observed
            .is_some_and(|(live, _)| live.unobserved(object_ref).is_none() && live.get(object_ref).is_none())
    };
    for (object_ref, record) in &input.state.records {
        let released = input.graph.refactoring().forgets(&record.address);
        if !(released || record.prevent_destroy)
            || input.graph.find(object_ref).is_some()
            || is_gone(object_ref)
        {
            continue;
        }
        for change in containers.holding(object_ref) {
            let taken = taken.entry(change).or_default();
            let kept = if released { &mut taken.released } else { &mut taken.protected };
            kept.push((object_ref, record));
        }
    }
    for (object_ref, record) in input.left_out {
        for change in containers.holding(object_ref) {
            taken.entry(change).or_default().left_out.push((object_ref, record));
        }
    }
    taken.iter().map(|(change, taken)| faults::taken_along(&changes[*change], taken)).collect()
}

/// The Namespaces and kinds that a plan deletes, and what has no owner left, each with the position of the change.
struct Containers<'a> {
    namespaces: HashMap<(&'a ClusterRef, &'a Text), usize>,
    kinds: HashMap<(&'a ClusterRef, &'a GroupKind), usize>,
    owned: BTreeMap<&'a ObjectRef, usize>,
}

impl<'a> Containers<'a> {
    fn of(changes: &'a [Change], input: &PlanInput<'a>) -> Self {
        let owned = owned::owned(changes, input);
        let mut containers = Self { namespaces: HashMap::new(), kinds: HashMap::new(), owned };
        let mut definitions = HashMap::new();
        for (idx, change) in changes.iter().enumerate() {
            if !matches!(change.action, Action::Delete { .. } | Action::Replace { .. }) {
                continue;
            }
            let ObjectRef { cluster, kind, name, .. } = &change.object_ref;
            if kind.is("", "Namespace") {
                containers.namespaces.insert((cluster, name), idx);
            } else if kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
                definitions.insert((cluster, name.clone()), idx);
            }
        }
        if let (Some((live, _)), false) = (input.observed, definitions.is_empty()) {
            for (cluster, live) in &live.clusters {
                for info in live.discovery.iter() {
                    // The API server accepts no other name of a `CustomResourceDefinition`.
                    let name = format!("{}.{}", info.plural, info.kind.group);
                    if let Some(change) = definitions.get(&(cluster, name.into())) {
                        containers.kinds.insert((cluster, &info.kind), *change);
                    }
                }
            }
        }
        containers
    }

    fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.kinds.is_empty() && self.owned.is_empty()
    }

    /// Returns the changes that would take an object along.
    fn holding(&self, object_ref: &ObjectRef) -> BTreeSet<usize> {
        let ObjectRef { cluster, kind, namespace, .. } = object_ref;
        let namespace = namespace.as_ref().and_then(|name| self.namespaces.get(&(cluster, name)));
        let kind = self.kinds.get(&(cluster, kind));
        [namespace, kind, self.owned.get(object_ref)].into_iter().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests;
