//! From the expression that a JSON file is to blocks and arguments.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::{Attribute, Block, BlockLabel, Body};
use hcl_edit::{Decorated, Ident, Span};

use super::schema::{Schema, Shape};
use crate::codes::LABELS;

/// Returns the body that an object stands for.
pub(super) fn of(object: Object, schema: &Schema, file: &Arc<SourceFile>) -> Result<Body, Diagnostics> {
    let mut faults = Diagnostics::default();
    let body = body(object, schema, file, &mut faults);
    if faults.is_empty() { Ok(body) } else { Err(faults) }
}

/// The reader bounds how deep objects nest, and so this recursion.
fn body(object: Object, schema: &Schema, file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Body {
    let mut body = Body::new();
    for (key, value) in object {
        let ObjectKey::Ident(name) = key else { continue };
        match schema.shape(name.as_str()) {
            Shape::Value | Shape::Code => body.push(Attribute::new(name, value.into_expr())),
            Shape::Block(labels, schema) => {
                let mut walk = Blocks { name, file, faults, found: Vec::new() };
                walk.blocks(value.into_expr(), (labels, schema), &mut Vec::new());
                walk.found.into_iter().for_each(|block| body.push(block));
            }
        }
    }
    body
}

/// Collects the blocks below one key.
struct Blocks<'a> {
    name: Decorated<Ident>,
    file: &'a Arc<SourceFile>,
    faults: &'a mut Diagnostics,
    found: Vec<Block>,
}

impl Blocks<'_> {
    fn blocks(&mut self, value: Expression, (labels, schema): (usize, &Schema), above: &mut Vec<BlockLabel>) {
        match value {
            Expression::Array(items) => {
                for item in items {
                    self.blocks(item, (labels, schema), above);
                }
            }
            Expression::Object(object) if labels == 0 => {
                let mut block = Block::new(self.name.clone());
                block.labels.clone_from(above);
                block.body = body(object, schema, self.file, self.faults);
                self.found.push(block);
            }
            Expression::Object(object) => {
                for (key, value) in object {
                    let Some(label) = self.label(key) else { continue };
                    above.push(label);
                    self.blocks(value.into_expr(), (labels - 1, schema), above);
                    above.pop();
                }
            }
            // The reader has refused everything else.
            _ => {}
        }
    }

    fn label(&mut self, key: ObjectKey) -> Option<BlockLabel> {
        if let ObjectKey::Expression(Expression::String(label)) = key {
            return Some(BlockLabel::String(label));
        }
        let span = SourceSpan::new(Arc::clone(self.file), key.span().unwrap_or_default());
        let summary = format!("a label of block {} is plain text", self.name.as_str());
        self.faults.push(Diagnostic::error(LABELS, summary).at(span).hint("use `for_each` for many blocks"));
        None
    }
}
