//! Compares the language with its reference implementation, hashicorp/hcl with zclconf/go-cty, which runs as a Go
//! program built from `oracle`.

// A test that has no reference cannot go on: it fails.
#![allow(clippy::panic)]

mod build;
pub mod compare;
pub mod node;
mod oracle;

use std::collections::BTreeMap;

use engine_config::{Names, evaluate_expression};

use crate::node::Node;
pub use crate::oracle::{Reply, ask};

/// An expression with what its names stand for.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Question {
    /// The expression.
    pub text: String,
    /// What its names stand for.
    pub names: BTreeMap<String, Node>,
}

/// Returns the names that all expressions may refer to.
///
/// # Panics
/// If `names.yaml` is not readable.
pub fn names() -> BTreeMap<String, Node> {
    serde_saphyr::from_str(include_str!("../names.yaml")).expect("names.yaml holds values by name")
}

/// The value of an expression, or why it has none.
pub type Answer = Result<Node, String>;

/// Evaluates an expression with this repository's implementation.
///
/// # Errors
/// What the faults say.
pub fn evaluate(question: &Question) -> Answer {
    let mut names = Names::default();
    for (name, node) in &question.names {
        names.define(name, node.value());
    }
    match evaluate_expression(question.text.trim_end_matches('\n'), &names) {
        Ok(value) => Ok(Node::of(&value)),
        Err(faults) => {
            let faults =
                faults.iter().map(|fault| format!("{} {}: {}", fault.code, fault.summary, fault.detail));
            Err(faults.collect::<Vec<_>>().join("; "))
        }
    }
}
