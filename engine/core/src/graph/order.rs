//! Topological order with stable ties, and cycles that name every edge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use rayon::prelude::*;

use super::CYCLE;
use crate::diagnostic::{Diagnostic, SourceSpan};

/// Orders a graph, dependencies first, ties by key (Kahn's algorithm with an ordered ready set).
///
/// # Errors
/// The edges of one cycle, in order.
pub fn order<N: Sync, E: Sync, K: Ord + Send + Sync>(
    graph: &DiGraph<N, E>,
    key: impl Fn(&N) -> K + Sync,
) -> Result<Vec<NodeIndex>, Vec<EdgeIndex>> {
    let mut rank: Vec<NodeIndex> = graph.node_indices().collect();
    rank.par_sort_by_cached_key(|node| key(&graph[*node]));
    let mut position = vec![0; graph.node_count()];
    for (at, node) in rank.iter().enumerate() {
        position[node.index()] = at;
    }
    let mut blockers: Vec<usize> =
        graph.node_indices().map(|node| graph.edges_directed(node, petgraph::Incoming).count()).collect();
    let mut ready: BinaryHeap<Reverse<usize>> = graph
        .node_indices()
        .filter(|node| blockers[node.index()] == 0)
        .map(|n| Reverse(position[n.index()]))
        .collect();
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some(Reverse(at)) = ready.pop() {
        let node = rank[at];
        order.push(node);
        for edge in graph.edges(node) {
            let blocked = &mut blockers[edge.target().index()];
            *blocked -= 1;
            if *blocked == 0 {
                ready.push(Reverse(position[edge.target().index()]));
            }
        }
    }
    if order.len() == graph.node_count() { Ok(order) } else { Err(cycle(graph, &blockers, &position)) }
}

/// Orders a graph, dropping the first droppable edge of each cycle found.
///
/// # Errors
/// The edges of a cycle without a droppable edge.
pub fn order_dropping<N: Sync, E: Sync, K: Ord + Send + Sync>(
    graph: &mut DiGraph<N, E>,
    is_droppable: impl Fn(&E) -> bool,
    key: impl Fn(&N) -> K + Sync,
) -> Result<Vec<NodeIndex>, Vec<EdgeIndex>> {
    loop {
        let cycle = match order(graph, &key) {
            Ok(order) => return Ok(order),
            Err(cycle) => cycle,
        };
        match cycle.iter().find(|edge| is_droppable(&graph[**edge])) {
            Some(edge) => graph.remove_edge(*edge),
            None => return Err(cycle),
        };
    }
}

/// Walks against the edges among the nodes that stay blocked until one comes again: that is a cycle.
fn cycle<N, E>(graph: &DiGraph<N, E>, blockers: &[usize], position: &[usize]) -> Vec<EdgeIndex> {
    let blocked = |node: &NodeIndex| blockers[node.index()] > 0;
    let Some(mut node) = graph.node_indices().filter(blocked).min_by_key(|node| position[node.index()])
    else {
        return Vec::new();
    };
    let mut seen = vec![None; graph.node_count()];
    let mut path: Vec<EdgeIndex> = Vec::new();
    loop {
        if let Some(from) = seen[node.index()] {
            let mut edges = path.split_off(from);
            edges.reverse();
            return edges;
        }
        seen[node.index()] = Some(path.len());
        // Every blocked node has a blocked dependency: an unblocked one would have released it.
        let edge = graph
            .edges_directed(node, petgraph::Incoming)
            .filter(|edge| blocked(&edge.source()))
            .min_by_key(|edge| position[edge.source().index()]);
        let Some(edge) = edge else { return path };
        path.push(edge.id());
        node = edge.source();
    }
}

/// One edge of a cycle, ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleEdge {
    /// What waits.
    pub dependent: String,
    /// What it waits for.
    pub dependency: String,
    /// Where the dependency is written.
    pub span: Option<SourceSpan>,
    /// How it depends: "refers to it".
    pub how: String,
}

/// Builds the error that shows every edge of a cycle with its place.
pub fn cycle_diagnostic(edges: Vec<CycleEdge>) -> Diagnostic {
    let lines: Vec<String> = edges
        .iter()
        .map(|edge| {
            let place = edge.span.as_ref().map_or_else(|| edge.how.clone(), ToString::to_string);
            format!("  {} needs {} ({place})", edge.dependent, edge.dependency)
        })
        .collect();
    let names: Vec<&str> = edges.iter().map(|edge| edge.dependent.as_str()).collect();
    let mut diagnostic = Diagnostic::error(CYCLE, format!("dependency cycle: {}", names.join(", ")))
        .detail(lines.join("\n"))
        .hint("break the cycle by removing one of these references");
    let mut spans = edges.into_iter().filter_map(|edge| Some((edge.span?, edge.dependency)));
    if let Some((span, _)) = spans.next() {
        diagnostic = diagnostic.at(span);
    }
    spans.fold(diagnostic, |diagnostic, (span, needs)| diagnostic.label(span, format!("needs {needs}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graph(edges: &[(u32, u32)]) -> DiGraph<u32, ()> {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..8).map(|n| graph.add_node(n)).collect();
        for (from, to) in edges {
            graph.add_edge(nodes[*from as usize], nodes[*to as usize], ());
        }
        graph
    }

    proptest! {
        #[test]
        fn every_edge_is_respected_or_a_cycle_is_named(edges in prop::collection::vec((0u32..8, 0u32..8), 0..20)) {
            let graph = graph(&edges);
            match order(&graph, |node| *node) {
                Ok(order) => {
                    let at = |n: u32| order.iter().position(|node| graph[*node] == n).unwrap();
                    for (from, to) in &edges {
                        prop_assert!(at(*from) < at(*to));
                    }
                }
                Err(cycle) => {
                    prop_assert!(!cycle.is_empty());
                    for (idx, edge) in cycle.iter().enumerate() {
                        let (_, to) = graph.edge_endpoints(*edge).unwrap();
                        let (from, _) = graph.edge_endpoints(cycle[(idx + 1) % cycle.len()]).unwrap();
                        prop_assert_eq!(from, to, "edges of a cycle join");
                    }
                }
            }
        }

        #[test]
        fn the_order_of_insertion_does_not_matter(mut edges in prop::collection::vec((0u32..8, 0u32..8), 0..12), seed in 0usize..100) {
            edges.retain(|(from, to)| from < to);
            let straight = order(&graph(&edges), |node| *node).unwrap();
            let mid = seed.min(edges.len());
            edges.rotate_left(mid);
            prop_assert_eq!(straight, order(&graph(&edges), |node| *node).unwrap());
        }
    }
}
