//! Where a field of an argument is written.

use std::sync::Arc;

use engine_core::diagnostic::SourceSpan;
use engine_core::field_path::PathElement;
use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey};

use super::Argument;

/// Returns the place of a field, or of the innermost value around it that is written out.
pub(crate) fn place(argument: &Argument, path: &[PathElement]) -> SourceSpan {
    let mut argument = argument;
    let mut path = path;
    while let (Argument::Object(entries, _), Some((PathElement::Field(name), rest))) =
        (argument, path.split_first())
    {
        let Some((_, inner)) = entries.iter().find(|(entry, _)| entry.text == *name) else { break };
        (argument, path) = (inner, rest);
    }
    let Argument::Expr(expr) = argument else { return argument.span() };
    let mut node = &expr.node;
    for element in path {
        let inner = match (node, element) {
            (Expression::Object(object), PathElement::Field(name)) => {
                let entry = object.iter().find(|(key, _)| key_text(key) == Some(name.as_str()));
                entry.map(|(_, value)| value.expr())
            }
            (Expression::Array(array), PathElement::Index(idx)) => array.get(*idx),
            _ => None,
        };
        let Some(inner) = inner else { break };
        node = inner;
    }
    SourceSpan::new(Arc::clone(&expr.file), node.span().or(expr.node.span()).unwrap_or_default())
}

fn key_text(key: &ObjectKey) -> Option<&str> {
    match key {
        ObjectKey::Ident(ident) => Some(ident.as_str()),
        ObjectKey::Expression(Expression::String(text)) => Some(text.as_str()),
        ObjectKey::Expression(_) => None,
    }
}
