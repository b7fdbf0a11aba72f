//! The picture in Mermaid's language, which forges draw in Markdown.
//!
//! # Source
//! Mermaid documentation, "Flowcharts": subgraphs, and entity codes for special characters.

use std::fmt::Write;

use engine_core::graph::ResourceGraph;

use super::Picture;

/// Returns the resource graph as a Mermaid flowchart. Inferred dependencies are dashed and say why.
pub fn graph_mermaid(graph: &ResourceGraph) -> String {
    let picture = Picture::of(graph);
    let mut out = String::from("flowchart RL\n");
    for root in &picture.roots {
        put_shape(&mut out, &picture, *root, 1);
    }
    for arrow in &picture.arrows {
        let line = match arrow.inferred {
            Some(how) => format!("-. \"{}\" .->", text(how)),
            None => "-->".into(),
        };
        let _ = writeln!(out, "  n{} {line} n{}", arrow.dependent, arrow.dependency);
    }
    out
}

fn put_shape(out: &mut String, picture: &Picture, idx: usize, depth: usize) {
    let shape = &picture.shapes[idx];
    let label: Vec<String> = shape.label.iter().map(|line| text(line)).collect();
    let label = label.join("<br>");
    let indent = "  ".repeat(depth);
    if shape.inner.is_empty() {
        let _ = writeln!(out, "{indent}n{idx}[\"{label}\"]");
        return;
    }
    let _ = writeln!(out, "{indent}subgraph n{idx} [\"{label}\"]");
    for inner in &shape.inner {
        put_shape(out, picture, *inner, depth + 1);
    }
    let _ = writeln!(out, "{indent}end");
}

/// Writes everything that is not plainly text as an entity code.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for char in raw.chars() {
        if char.is_alphanumeric() || " ._-/[]".contains(char) {
            out.push(char);
        } else {
            let _ = write!(out, "#{};", u32::from(char));
        }
    }
    out
}
