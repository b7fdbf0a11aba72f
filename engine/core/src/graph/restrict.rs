//! A part of a graph.

use std::collections::{HashMap, HashSet};

use petgraph::Incoming;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Node, ResourceGraph};
use crate::resource::{Body, Resource};

impl ResourceGraph {
    /// Returns the resources for which `is_wanted` holds and all that they depend on, by position.
    pub fn with_dependencies(&self, is_wanted: impl Fn(&Resource) -> bool) -> HashSet<usize> {
        let wanted = (0..self.resources.len()).filter(|idx| is_wanted(&self.resources[*idx]));
        let mut queue: Vec<NodeIndex> = wanted.map(|idx| self.nodes[idx]).collect();
        let mut seen: HashSet<NodeIndex> = queue.iter().copied().collect();
        let mut found = HashSet::new();
        while let Some(node) = queue.pop() {
            if let Node::Resource(idx) = self.graph[node] {
                found.insert(idx);
            }
            queue.extend(self.graph.neighbors_directed(node, Incoming).filter(|it| seen.insert(*it)));
        }
        found
    }

    /// Returns the graph of the resources at some positions, in the same order.
    #[must_use]
    pub fn restricted(&self, keep: &HashSet<usize>) -> Self {
        let mut part = Self { refactoring: self.refactoring.clone(), ..Self::default() };
        let mut graph = DiGraph::new();
        let mut moved: HashMap<NodeIndex, NodeIndex> = HashMap::new();
        for node in self.graph.node_indices() {
            let copy = match &self.graph[node] {
                Node::Resource(idx) if !keep.contains(idx) => continue,
                Node::Resource(idx) => {
                    part.resources.push(self.resources[*idx].clone());
                    Node::Resource(part.resources.len() - 1)
                }
                stage => stage.clone(),
            };
            let is_resource = matches!(copy, Node::Resource(_));
            let copied = graph.add_node(copy);
            moved.insert(node, copied);
            part.nodes.extend(is_resource.then_some(copied));
        }
        for (from, to, reason) in self.edges() {
            if let (Some(from), Some(to)) = (moved.get(&from), moved.get(&to)) {
                graph.add_edge(*from, *to, reason.clone());
            }
        }
        part.graph = graph;
        part.order = self.order.iter().filter_map(|node| moved.get(node).copied()).collect();
        for (idx, resource) in part.resources.iter().enumerate() {
            part.by_address.insert(resource.address.clone(), idx);
            if !matches!(resource.body, Body::Read(_)) {
                part.by_ref.insert(resource.object_ref().clone(), idx);
            }
        }
        part
    }
}
