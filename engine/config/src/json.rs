//! HCL's JSON form: the same blocks and arguments, written by programs.
//!
//! A JSON file becomes the text of one HCL expression in which every token stands where it stands in the JSON, and
//! that expression becomes a body. So what follows knows nothing of JSON, and diagnostics point into it.
//!
//! # Source
//! HCL's "JSON Syntax Specification": bodies, blocks and labels as nested objects, expressions as templates.

mod body;
mod reader;
mod schema;
mod template;

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::expr::Expression;
use hcl_edit::parser::parse_expr;
use hcl_edit::structure::Body;

use crate::codes::SYNTAX;

/// Parses a file in the JSON form: a definition, or variables if its name says so.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<Body, Diagnostics> {
    let schema = if file.path.ends_with(".tfvars.json") { &schema::PLAIN } else { &schema::ROOT };
    let native = reader::native(file, schema)?;
    let failed = |range: std::ops::Range<usize>, message: &str| {
        let span = SourceSpan::new(Arc::clone(file), range);
        Diagnostics::from(Diagnostic::error(SYNTAX, format!("syntax error: {message}")).at(span))
    };
    let expression = parse_expr(&native).map_err(|error| {
        let at = error.location().offset();
        failed(at..at + 1, error.message())
    })?;
    match expression {
        Expression::Object(object) => body::of(object, schema, file),
        Expression::Parenthesis(inner) => match inner.into_inner() {
            Expression::Object(object) => body::of(object, schema, file),
            _ => Err(failed(0..1, "a definition is a JSON object")),
        },
        _ => Err(failed(0..1, "a definition is a JSON object")),
    }
}

#[cfg(test)]
mod tests;
