//! The part of an environment that a plan is about.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::address::Address;
use crate::graph::ResourceGraph;
use crate::live::Live;
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::state::{ResourceRecord, State};

/// Which part. By default, everything.
///
/// # Source
/// Terraform, "Target resources": a target comes with what it depends on, and a deletion with what depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Blocks, instances or objects, with all that they depend on. Empty for everything.
    pub targets: Vec<Address>,
    /// What lies on other clusters is left alone, even where something here depends on it. Empty for all clusters.
    pub clusters: BTreeSet<ClusterRef>,
}

impl Selection {
    /// Tells whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty() && self.clusters.is_empty()
    }

    /// Tells whether a cluster is part of it.
    pub fn has_cluster(&self, cluster: &ClusterRef) -> bool {
        self.clusters.is_empty() || self.clusters.contains(cluster)
    }

    /// Returns the first target that names nothing, neither declared nor recorded.
    pub fn unmatched(&self, graph: &ResourceGraph, state: &State) -> Option<&Address> {
        let is_declared =
            |target: &Address| graph.resources().iter().any(|resource| resource.address.is_within(target));
        let is_recorded =
            |target: &Address| state.records.values().any(|record| record.address.is_within(target));
        self.targets.iter().find(|target| !is_declared(target) && !is_recorded(target))
    }

    /// Returns the part of a graph.
    pub fn graph(&self, graph: &ResourceGraph) -> ResourceGraph {
        let mut keep = match self.targets.is_empty() {
            true => (0..graph.resources().len()).collect(),
            false => graph.with_dependencies(|resource| self.targets_address(&resource.address)),
        };
        keep.retain(|idx| self.has_cluster(&graph.resources()[*idx].object_ref().cluster));
        graph.restricted(&keep)
    }

    /// Returns a state that records what concerns the part of a graph: its objects, and those to be deleted.
    pub fn state(&self, state: &State, whole: &ResourceGraph, part: &ResourceGraph) -> State {
        let gone: HashMap<&ObjectRef, &ResourceRecord> = state
            .records
            .iter()
            .filter(|(object_ref, _)| {
                whole.find(object_ref).is_none() && self.has_cluster(&object_ref.cluster)
            })
            .collect();
        let deleted = self.deleted(&gone, whole);
        let mut of_part = state.clone();
        of_part
            .records
            .retain(|object_ref, _| part.find(object_ref).is_some() || deleted.contains(object_ref));
        of_part
    }

    /// Leaves out of what was read what is no part: marked objects of the environment would be taken for left over.
    pub fn hide_others(&self, live: &mut Live, state: &State, part: &ResourceGraph) {
        if self.targets.is_empty() {
            return;
        }
        for cluster in live.clusters.values_mut() {
            cluster.objects.retain(|it, _| part.find(it).is_some() || state.records.contains_key(it));
        }
    }

    fn targets_address(&self, address: &Address) -> bool {
        self.targets.iter().any(|target| address.is_within(target))
    }

    /// Returns what is deleted of all that is no longer declared: the targets and what depends on them.
    fn deleted<'a>(
        &self,
        gone: &HashMap<&'a ObjectRef, &'a ResourceRecord>,
        whole: &ResourceGraph,
    ) -> HashSet<&'a ObjectRef> {
        if self.targets.is_empty() {
            return gone.keys().copied().collect();
        }
        let mut by_block: HashMap<&Address, Vec<&ObjectRef>> = HashMap::new();
        let mut by_object: HashMap<ObjectRef, Vec<&ObjectRef>> = HashMap::new();
        for (object_ref, record) in gone {
            record.dependencies.blocks.iter().for_each(|it| by_block.entry(it).or_default().push(object_ref));
            for dependency in record.dependencies.objects_of(object_ref) {
                by_object.entry(dependency).or_default().push(object_ref);
            }
        }
        let is_target = |record: &ResourceRecord| {
            let current = whole.refactoring().current(&record.address);
            self.targets_address(&record.address) || self.targets_address(&current)
        };
        let targeted = gone.iter().filter(|(_, record)| is_target(record));
        let mut queue: Vec<&ObjectRef> = targeted.map(|(object_ref, _)| *object_ref).collect();
        let mut found = HashSet::new();
        while let Some(object_ref) = queue.pop() {
            let Some((known, record)) = gone.get_key_value(object_ref) else { continue };
            if !found.insert(*known) {
                continue;
            }
            queue.extend(by_object.get(*known).into_iter().flatten());
            let blocks = record.address.enclosing();
            queue.extend(blocks.iter().filter_map(|block| by_block.get(block)).flatten());
        }
        found
    }
}

#[cfg(test)]
mod tests;
