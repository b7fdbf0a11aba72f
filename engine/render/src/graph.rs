//! The resource graph as a picture: Graphviz and Mermaid.
//!
//! Stages are folded into the blocks they belong to: a block is a box around what it declares, and a block that
//! declares one thing is drawn as that thing. Arrows lead from what depends to what it depends on.

mod dot;
mod mermaid;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine_core::address::Address;
use engine_core::graph::{EdgeReason, Node, ResourceGraph};

use crate::escape::escape;

pub use dot::graph_dot;
pub use mermaid::graph_mermaid;

/// What is drawn.
struct Picture {
    /// Shapes in order of address; what lies in a box follows it.
    shapes: Vec<Shape>,
    /// Shapes that lie in no box.
    roots: Vec<usize>,
    /// Arrows, from dependent to dependency.
    arrows: BTreeSet<Arrow>,
}

/// A box around other shapes, or a single thing.
struct Shape {
    /// Lines of text, escaped.
    label: Vec<String>,
    /// What lies in it; empty for a single thing.
    inner: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    dependent: usize,
    dependency: usize,
    /// How it was inferred; `None` when the definition says so.
    inferred: Option<&'static str>,
}

/// What the graph holds of one block.
#[derive(Default)]
struct Block {
    parent: Option<Address>,
    resources: Vec<usize>,
    children: BTreeSet<Address>,
}

impl Picture {
    fn of(graph: &ResourceGraph) -> Self {
        let blocks = blocks(graph);
        let mut painter = Painter { graph, blocks: &blocks, shapes: Vec::new(), places: Places::default() };
        let roots = blocks.iter().filter(|(_, block)| block.parent.is_none());
        let roots = roots.map(|(address, block)| painter.block(address, block)).collect();
        Self {
            roots,
            arrows: folded(&painter.shapes, arrows(graph, &painter.places)),
            shapes: painter.shapes,
        }
    }
}

fn arrows(graph: &ResourceGraph, places: &Places) -> BTreeSet<Arrow> {
    let arrow = |(dependency, dependent, reason)| {
        let inferred = match reason {
            &EdgeReason::Member => return None,
            EdgeReason::Reference(_) | EdgeReason::DependsOn(_) => None,
            EdgeReason::Inferred(how) => Some(*how),
        };
        Some(Arrow {
            dependent: places.find(graph.node(dependent))?,
            dependency: places.find(graph.node(dependency))?,
            inferred,
        })
    };
    let arrows = graph.edges().filter_map(arrow);
    arrows.filter(|arrow| arrow.dependent != arrow.dependency).collect()
}

/// Replaces arrows that all things in a box share by one arrow of the box.
fn folded(shapes: &[Shape], arrows: BTreeSet<Arrow>) -> BTreeSet<Arrow> {
    let mut leaving: Vec<BTreeSet<(usize, Option<&'static str>)>> = vec![BTreeSet::new(); shapes.len()];
    for arrow in arrows {
        leaving[arrow.dependent].insert((arrow.dependency, arrow.inferred));
    }
    // What lies in a box comes behind it, so inner boxes are folded first.
    for (idx, shape) in shapes.iter().enumerate().rev() {
        let Some((first, rest)) = shape.inner.split_first() else {
            continue;
        };
        let mut shared = leaving[*first].clone();
        for inner in rest {
            shared.retain(|end| leaving[*inner].contains(end));
        }
        for inner in &shape.inner {
            leaving[*inner].retain(|end| !shared.contains(end));
        }
        leaving[idx].extend(shared);
    }
    let arrow = |dependent: usize, (dependency, inferred)| Arrow { dependent, dependency, inferred };
    let leaving = leaving.into_iter().enumerate();
    leaving.flat_map(|(idx, ends)| ends.into_iter().map(move |end| arrow(idx, end))).collect()
}

struct Painter<'a> {
    graph: &'a ResourceGraph,
    blocks: &'a BTreeMap<Address, Block>,
    shapes: Vec<Shape>,
    places: Places,
}

impl Painter<'_> {
    /// Draws a block and what lies in it, and returns its shape. Blocks nest as deep as modules do.
    fn block(&mut self, address: &Address, block: &Block) -> usize {
        let shape = self.shape(escape(&address.to_string()).into_owned());
        self.places.blocks.insert(address.clone(), shape);
        if let ([only], true) = (block.resources.as_slice(), block.children.is_empty()) {
            let object = self.object(*only);
            self.shapes[shape].label.push(object);
            self.places.resources.insert(*only, shape);
            return shape;
        }
        let mut inner = Vec::new();
        let mut resources = block.resources.clone();
        resources.sort_by_key(|idx| &self.graph.resources()[*idx].address);
        for idx in resources {
            let object = self.shape(self.object(idx));
            self.places.resources.insert(idx, object);
            inner.push(object);
        }
        let blocks = self.blocks;
        for child in &block.children {
            if let Some(block) = blocks.get(child) {
                inner.push(self.block(child, block));
            }
        }
        self.shapes[shape].inner = inner;
        shape
    }

    fn shape(&mut self, label: String) -> usize {
        self.shapes.push(Shape { label: vec![label], inner: Vec::new() });
        self.shapes.len() - 1
    }

    fn object(&self, idx: usize) -> String {
        escape(&self.graph.resources()[idx].object_ref().key()).into_owned()
    }
}

/// Where each node is drawn.
#[derive(Default)]
struct Places {
    blocks: BTreeMap<Address, usize>,
    resources: HashMap<usize, usize>,
}

impl Places {
    fn find(&self, node: &Node) -> Option<usize> {
        match node {
            Node::Start(address) | Node::Done(address) => self.blocks.get(address).copied(),
            Node::Resource(idx) => self.resources.get(idx).copied(),
        }
    }
}

fn blocks(graph: &ResourceGraph) -> BTreeMap<Address, Block> {
    let mut blocks: BTreeMap<Address, Block> = BTreeMap::new();
    for (_, node) in graph.nodes_in_order() {
        if let Node::Start(address) = node {
            blocks.entry(address.clone()).or_default();
        }
    }
    for (from, to, reason) in graph.edges() {
        if *reason != EdgeReason::Member {
            continue;
        }
        match (graph.node(from), graph.node(to)) {
            (Node::Start(parent), Node::Start(child)) => {
                blocks.entry(parent.clone()).or_default().children.insert(child.clone());
                blocks.entry(child.clone()).or_default().parent = Some(parent.clone());
            }
            (Node::Start(block), Node::Resource(idx)) => {
                blocks.entry(block.clone()).or_default().resources.push(*idx);
            }
            _ => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests;
