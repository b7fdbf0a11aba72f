//! The picture in Graphviz' language.
//!
//! # Source
//! Graphviz documentation, "DOT Language" (quoted strings) and the attributes `compound`, `lhead`, `ltail`.

use std::fmt::Write;

use engine_core::graph::ResourceGraph;

use super::{Arrow, Picture};

/// Returns the resource graph for Graphviz. Inferred dependencies are dashed and say why.
pub fn graph_dot(graph: &ResourceGraph) -> String {
    let picture = Picture::of(graph);
    let mut out = String::from("digraph {\n  rankdir=RL\n  compound=true\n  node [shape=box]\n");
    for root in &picture.roots {
        put_shape(&mut out, &picture, *root, 1);
    }
    for arrow in &picture.arrows {
        put_arrow(&mut out, &picture, arrow);
    }
    out.push_str("}\n");
    out
}

fn put_shape(out: &mut String, picture: &Picture, idx: usize, depth: usize) {
    let shape = &picture.shapes[idx];
    let label: Vec<String> = shape.label.iter().map(|line| inner_quotes(line)).collect();
    let label = label.join("\\n");
    let indent = "  ".repeat(depth);
    if shape.inner.is_empty() {
        let _ = writeln!(out, "{indent}n{idx} [label=\"{label}\"]");
        return;
    }
    let _ = writeln!(out, "{indent}subgraph cluster_{idx} {{\n{indent}  label=\"{label}\"");
    for inner in &shape.inner {
        put_shape(out, picture, *inner, depth + 1);
    }
    let _ = writeln!(out, "{indent}}}");
}

fn put_arrow(out: &mut String, picture: &Picture, arrow: &Arrow) {
    let (from, to) = (anchor(picture, arrow.dependent), anchor(picture, arrow.dependency));
    let mut attributes = Vec::new();
    if from != arrow.dependent {
        attributes.push(format!("ltail=cluster_{}", arrow.dependent));
    }
    if to != arrow.dependency {
        attributes.push(format!("lhead=cluster_{}", arrow.dependency));
    }
    if let Some(how) = arrow.inferred {
        attributes.push(format!("style=dashed, label=\"{}\"", inner_quotes(how)));
    }
    let attributes = match attributes.join(", ") {
        none if none.is_empty() => none,
        some => format!(" [{some}]"),
    };
    let _ = writeln!(out, "  n{from} -> n{to}{attributes}");
}

/// Returns a single thing inside a box: Graphviz draws arrows between things and clips them at boxes.
fn anchor(picture: &Picture, mut idx: usize) -> usize {
    while let Some(first) = picture.shapes[idx].inner.first() {
        idx = *first;
    }
    idx
}

fn inner_quotes(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
