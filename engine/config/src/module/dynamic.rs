//! `dynamic`: nested blocks that are written once and stand for one block per item of a collection.
//!
//! # Source
//! `OpenTofu` documentation, "Dynamic Blocks".

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};

use super::fields::{Argument, Expr, Fields, Name, arguments, expect_labels, head_span, twice};
use crate::codes::{INVALID_ARGUMENT, LABELS};

/// The block type.
pub(super) const DYNAMIC: &str = "dynamic";

/// A `dynamic` block.
#[derive(Clone)]
pub(crate) struct Dynamic {
    /// What the blocks are called that it stands for.
    pub(crate) name: Name,
    pub(crate) for_each: Expr,
    /// What `key` and `value` of the item hang on.
    pub(crate) iterator: Text,
    /// The labels of each block, in order.
    pub(crate) labels: Vec<Expr>,
    pub(crate) content: Argument,
}

/// Returns what the blocks are called that a `dynamic` block stands for; `None` for other structures.
pub(super) fn stands_for(structure: &Structure) -> Option<&str> {
    match structure {
        Structure::Block(block) if block.has_ident(DYNAMIC) => Some(block.labels.first()?.as_str()),
        _ => None,
    }
}

/// Decodes a `dynamic` block.
pub(super) fn dynamic(block: Block, file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Option<Dynamic> {
    let name = expect_labels(&block, file, &["BLOCK"], faults)?.pop()?;
    let span = head_span(&block, file);
    let mut fields = Fields::new(format!("dynamic {:?}", name.text), span, block.body, faults);
    let for_each = fields.required("for_each");
    let iterator = fields.expr("iterator");
    let iterator = iterator.map_or(Some(name.text.clone()), |expr| variable(&expr, &mut fields));
    let labels = fields.expr("labels").map_or(Some(Vec::new()), |expr| list(&expr, &mut fields));
    let content = content(&mut fields);
    fields.finish();
    let (for_each, iterator, labels, mut content) = (for_each?, iterator?, labels?, content?);
    content.bind(&iterator);
    let bind = |mut label: Expr| {
        label.bound.push(iterator.clone());
        label
    };
    let labels = labels.into_iter().map(bind).collect();
    Some(Dynamic { name, for_each, iterator, labels, content })
}

/// Reads `iterator = NAME`.
fn variable(expr: &Expr, fields: &mut Fields<'_>) -> Option<Text> {
    if let Expression::Variable(name) = &expr.node {
        return Some(name.as_str().into());
    }
    let summary = format!("iterator of {} must be a name", fields.what);
    fields.fault(
        Diagnostic::error(INVALID_ARGUMENT, summary)
            .at(expr.span())
            .hint("write `iterator = item`, without quotes"),
    );
    None
}

/// Reads `labels = [EXPRESSION, …]`: how many there are must be known before anything is evaluated.
fn list(expr: &Expr, fields: &mut Fields<'_>) -> Option<Vec<Expr>> {
    if let Expression::Array(array) = &expr.node {
        return Some(array.iter().map(|item| Expr::new(item.clone(), Arc::clone(&expr.file))).collect());
    }
    let summary = format!("labels of {} must be a list", fields.what);
    fields.fault(
        Diagnostic::error(INVALID_ARGUMENT, summary).at(expr.span()).hint("write `labels = [item.key]`"),
    );
    None
}

fn content(fields: &mut Fields<'_>) -> Option<Argument> {
    let mut blocks = fields.blocks("content").into_iter();
    let file = Arc::clone(&fields.file);
    let Some(block) = blocks.next() else {
        let summary = format!("{} needs a block content", fields.what);
        let span = fields.span.clone();
        fields.fault(
            Diagnostic::error(LABELS, summary)
                .at(span)
                .hint("add `content { … }` with what each block holds"),
        );
        return None;
    };
    let span = head_span(&block, &file);
    if let Some(second) = blocks.next() {
        fields.fault(twice("block content", head_span(&second, &file), span.clone()));
    }
    expect_labels(&block, &file, &[], fields.faults())?;
    let inner = arguments(block.body.into_iter().collect(), &file, fields.faults());
    Some(Argument::Object(inner, span))
}

impl Argument {
    /// Says that a name is bound in every expression of an argument.
    fn bind(&mut self, name: &Text) {
        match self {
            Self::Expr(expr) => expr.bound.push(name.clone()),
            Self::Object(entries, _) => entries.iter_mut().for_each(|(_, entry)| entry.bind(name)),
            Self::Blocks(parts, _) => parts.iter_mut().for_each(|part| part.bind(name)),
            Self::Dynamic(dynamic) => {
                dynamic.for_each.bound.push(name.clone());
                dynamic.labels.iter_mut().for_each(|label| label.bound.push(name.clone()));
                dynamic.content.bind(name);
            }
        }
    }
}

impl Dynamic {
    /// Returns the place of the block's name.
    pub(crate) fn span(&self) -> SourceSpan {
        self.name.span.clone()
    }
}
