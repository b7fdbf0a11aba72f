//! The resource graph: what depends on what.
//!
//! Between resources stand *stages*, so that a block of n objects that depends on a block of m objects costs
//! n + m edges and not n × m: every block instance has a start and a done stage, its objects lie between
//! them, and a reference is an edge from one block's done to the other's start.

mod infer;
pub mod order;
mod restrict;

pub(crate) use infer::pod_spec;

use std::collections::{BTreeMap, HashMap, HashSet};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::address::Address;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceSpan};
use crate::object_ref::ObjectRef;
use crate::refactoring::Refactoring;
use crate::resource::{Body, Resource};

/// The same object is declared twice.
pub const DUPLICATE_OBJECT: Code = Code(501);
/// Resources depend on each other in a circle.
pub const CYCLE: Code = Code(502);
/// The same address is declared twice.
pub const DUPLICATE_ADDRESS: Code = Code(503);

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// What a block depends on is done.
    Start(Address),
    /// A resource, by position in [`ResourceGraph::resources`].
    Resource(usize),
    /// All resources of a block are done.
    Done(Address),
}

/// Why one node comes after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeReason {
    /// A block holds its resources and inner blocks.
    Member,
    /// An expression refers to the dependency.
    Reference(SourceSpan),
    /// `depends_on` or the order of clusters names it.
    DependsOn(SourceSpan),
    /// Follows from the objects; says how: "runs in this Namespace".
    Inferred(&'static str),
}

/// The start and done stage of a block instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    start: NodeIndex,
    done: NodeIndex,
}

/// Collects resources and edges.
#[derive(Default)]
pub struct GraphBuilder {
    graph: DiGraph<Node, EdgeReason>,
    resources: Vec<(Resource, NodeIndex)>,
    /// What the definition says of addresses and objects besides declaring them.
    pub refactoring: Refactoring,
}

impl GraphBuilder {
    /// Adds a block instance, inside another one or at the root.
    pub fn block(&mut self, address: &Address, parent: Option<Block>) -> Block {
        let start = self.graph.add_node(Node::Start(address.clone()));
        let done = self.graph.add_node(Node::Done(address.clone()));
        self.graph.add_edge(start, done, EdgeReason::Member);
        let block = Block { start, done };
        if let Some(parent) = parent {
            self.contain(parent, block);
        }
        block
    }

    /// Puts a block instance inside another one.
    pub fn contain(&mut self, parent: Block, block: Block) {
        self.graph.add_edge(parent.start, block.start, EdgeReason::Member);
        self.graph.add_edge(block.done, parent.done, EdgeReason::Member);
    }

    /// Adds a resource to a block instance.
    pub fn resource(&mut self, block: Block, resource: Resource) {
        let node = self.graph.add_node(Node::Resource(self.resources.len()));
        self.graph.add_edge(block.start, node, EdgeReason::Member);
        self.graph.add_edge(node, block.done, EdgeReason::Member);
        self.resources.push((resource, node));
    }

    /// Orders one block instance after another.
    pub fn depend(&mut self, dependent: Block, dependency: Block, reason: EdgeReason) {
        self.graph.add_edge(dependency.done, dependent.start, reason);
    }

    /// Checks identities, adds inferred edges and orders the graph.
    ///
    /// # Errors
    /// An object or an address is declared twice, or declared dependencies form a cycle.
    pub fn build(self) -> Result<ResourceGraph, Diagnostics> {
        let Self { mut graph, resources, refactoring } = self;
        let (by_ref, by_address) = indexes(&resources)?;
        let nodes: Vec<NodeIndex> = resources.iter().map(|(_, node)| *node).collect();
        let resources: Vec<Resource> = resources.into_iter().map(|(resource, _)| resource).collect();
        infer::add_edges(&mut graph, &resources, &nodes, &by_ref);
        let order = order::order_dropping(
            &mut graph,
            |reason| matches!(reason, EdgeReason::Inferred(_)),
            |node| sort_key(node, &resources),
        )
        .map_err(|cycle| cycle_error(&graph, &cycle, &resources))?;
        Ok(ResourceGraph { graph, resources, nodes, order, by_ref, by_address, refactoring })
    }
}

type Indexes = (HashMap<ObjectRef, usize>, BTreeMap<Address, usize>);

fn indexes(resources: &[(Resource, NodeIndex)]) -> Result<Indexes, Diagnostics> {
    let mut faults = Diagnostics::default();
    let mut by_ref: HashMap<ObjectRef, usize> = HashMap::with_capacity(resources.len());
    let mut by_address: BTreeMap<Address, usize> = BTreeMap::new();
    for (idx, (resource, _)) in resources.iter().enumerate() {
        if let Some(first) = by_address.insert(resource.address.clone(), idx) {
            faults.push(twice(DUPLICATE_ADDRESS, resource, &resources[first].0));
        }
        if matches!(resource.body, Body::Read(_)) {
            continue;
        }
        if let Some(first) = by_ref.insert(resource.object_ref().clone(), idx) {
            faults.push(twice(DUPLICATE_OBJECT, resource, &resources[first].0));
        }
    }
    if faults.is_empty() { Ok((by_ref, by_address)) } else { Err(faults) }
}

fn twice(code: Code, second: &Resource, first: &Resource) -> Diagnostic {
    let summary = match code {
        DUPLICATE_ADDRESS => format!("address {} is declared twice", second.address),
        _ => format!(
            "object {} is declared twice on cluster {}",
            second.object_ref(),
            second.object_ref().cluster
        ),
    };
    let diagnostic = Diagnostic::error(code, summary)
        .detail(format!("Declared by {} and by {}.", first.address, second.address))
        .at(second.span.clone())
        .about(second.address.clone())
        .hint("remove one of the two, or give them different names");
    match &first.span {
        Some(span) => diagnostic.label(span.clone(), "first declared here"),
        None => diagnostic,
    }
}

fn sort_key(node: &Node, resources: &[Resource]) -> (Address, u8) {
    match node {
        Node::Start(address) => (address.clone(), 0),
        Node::Resource(idx) => (resources[*idx].address.clone(), 1),
        Node::Done(address) => (address.clone(), 2),
    }
}

fn cycle_error(
    graph: &DiGraph<Node, EdgeReason>,
    cycle: &[petgraph::graph::EdgeIndex],
    resources: &[Resource],
) -> Diagnostics {
    let name = |node: NodeIndex| match &graph[node] {
        Node::Start(address) | Node::Done(address) => address.to_string(),
        Node::Resource(idx) => resources[*idx].address.to_string(),
    };
    let edges = cycle.iter().filter_map(|edge| {
        let (from, to) = graph.edge_endpoints(*edge)?;
        let (span, how) = match &graph[*edge] {
            EdgeReason::Member => return None,
            EdgeReason::Reference(span) => (Some(span.clone()), "refers to it"),
            EdgeReason::DependsOn(span) => (Some(span.clone()), "depends_on"),
            EdgeReason::Inferred(how) => (None, *how),
        };
        Some(order::CycleEdge { dependent: name(to), dependency: name(from), span, how: how.into() })
    });
    order::cycle_diagnostic(edges.collect()).into()
}

/// All resources of an environment in their order of dependency. Acyclic by construction.
#[derive(Clone)]
pub struct ResourceGraph {
    graph: DiGraph<Node, EdgeReason>,
    resources: Vec<Resource>,
    nodes: Vec<NodeIndex>,
    order: Vec<NodeIndex>,
    by_ref: HashMap<ObjectRef, usize>,
    by_address: BTreeMap<Address, usize>,
    refactoring: Refactoring,
}

impl Default for ResourceGraph {
    /// The graph of an empty environment: its plan is the destruction of everything.
    fn default() -> Self {
        Self {
            graph: DiGraph::new(),
            resources: Vec::new(),
            nodes: Vec::new(),
            order: Vec::new(),
            by_ref: HashMap::new(),
            by_address: BTreeMap::new(),
            refactoring: Refactoring::default(),
        }
    }
}

impl ResourceGraph {
    /// Returns all resources, in the order they were added.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Returns the resources in order of dependency, ties by address.
    pub fn in_order(&self) -> impl Iterator<Item = &Resource> {
        self.order.iter().filter_map(|node| match self.graph[*node] {
            Node::Resource(idx) => Some(&self.resources[idx]),
            _ => None,
        })
    }

    /// Returns all nodes in order of dependency.
    pub fn nodes_in_order(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        self.order.iter().map(|node| (*node, &self.graph[*node]))
    }

    /// Returns what the definition says of addresses and objects besides declaring them.
    pub fn refactoring(&self) -> &Refactoring {
        &self.refactoring
    }

    /// Tells whether an `import` block names an object.
    pub fn imports(&self, object_ref: &ObjectRef) -> bool {
        let imports = &self.refactoring.imports;
        !imports.is_empty() && self.find(object_ref).is_some_and(|it| imports.contains_key(&it.address))
    }

    /// Returns the graph of an empty environment that still lets go what this one lets go.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { refactoring: self.refactoring.clone(), ..Self::default() }
    }

    /// Returns a graph that declares nothing, and lets go what is at or below an address.
    #[must_use]
    pub fn releasing(&self, address: Address) -> Self {
        let mut graph = self.emptied();
        graph.refactoring.released.push(address);
        graph
    }

    /// Returns the resource that declares an object.
    pub fn find(&self, object_ref: &ObjectRef) -> Option<&Resource> {
        self.by_ref.get(object_ref).map(|idx| &self.resources[*idx])
    }

    /// Returns the resource at an address.
    pub fn at(&self, address: &Address) -> Option<&Resource> {
        self.by_address.get(address).map(|idx| &self.resources[*idx])
    }

    /// Returns the edges as (dependency, dependent, reason).
    pub fn edges(&self) -> impl Iterator<Item = (NodeIndex, NodeIndex, &EdgeReason)> {
        self.graph.edge_references().map(|edge| (edge.source(), edge.target(), edge.weight()))
    }

    /// Returns a node.
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.graph[index]
    }

    /// Returns the resources that come after one for which `is_source` holds, by position.
    pub fn after(&self, is_source: impl Fn(&Resource) -> bool) -> HashSet<usize> {
        let mut reached: HashSet<NodeIndex> = HashSet::new();
        let mut after = HashSet::new();
        for node in &self.order {
            let is_reached =
                self.graph.neighbors_directed(*node, petgraph::Incoming).any(|it| reached.contains(&it));
            let begins = match self.graph[*node] {
                Node::Resource(idx) => {
                    after.extend(is_reached.then_some(idx));
                    is_source(&self.resources[idx])
                }
                Node::Start(_) | Node::Done(_) => false,
            };
            if begins || is_reached {
                reached.insert(*node);
            }
        }
        after
    }

    /// Returns what a resource depends on: blocks by address, and objects by inference.
    ///
    /// Quotas and limit ranges are left out: they concern what is new, so that nothing has to be deleted before them. So
    /// is the Namespace that the object lies in: the object's reference tells it ([`Dependencies::objects_of`]).
    pub fn dependencies(&self, resource: &Resource) -> Dependencies {
        let Some(idx) = self.by_address.get(&resource.address) else {
            return Dependencies::default();
        };
        let mut found = Dependencies::default();
        // Upwards through the starts of the blocks around it; a done stage or another resource ends the way.
        let mut starts = vec![self.nodes[*idx]];
        while let Some(node) = starts.pop() {
            let edges = self.graph.edges_directed(node, petgraph::Incoming);
            let is_told = |reason: &EdgeReason| {
                matches!(reason, EdgeReason::Inferred(infer::LIMITED | infer::ENCLOSED))
            };
            for edge in edges.filter(|edge| !is_told(edge.weight())) {
                match &self.graph[edge.source()] {
                    Node::Start(_) => starts.push(edge.source()),
                    Node::Done(address) => found.blocks.push(address.clone()),
                    Node::Resource(idx) => found.objects.push(self.resources[*idx].object_ref().clone()),
                }
            }
        }
        found.blocks.sort();
        found.blocks.dedup();
        found.objects.sort();
        found.objects.dedup();
        found
    }
}

/// What a resource depends on, as its record keeps it for the day it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependencies {
    /// Block instances.
    pub blocks: Vec<Address>,
    /// Objects, without the Namespace around it.
    pub objects: Vec<ObjectRef>,
}

impl Dependencies {
    /// Returns all objects that `dependent` depends on: the Namespace that it lies in, and those that are recorded.
    pub fn objects_of(&self, dependent: &ObjectRef) -> impl Iterator<Item = ObjectRef> {
        dependent.enclosing_namespace().into_iter().chain(self.objects.iter().cloned())
    }
}

#[cfg(test)]
mod tests;
