//! The blocks `moved`, `removed` and `import`: what becomes of addresses and objects.

use std::sync::Arc;

use engine_core::address::{Address, InstanceKey, Step};
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::refactoring::{Moved, Removal, Removed};
use engine_core::value::Text;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::Block;

use super::Repeat;
use super::constant::Constants;
use super::fields::{Expr, Fields, expect_labels, head_span};
use super::resource::repeat;
use crate::codes::{INVALID_ARGUMENT, MISSING_ARGUMENT};
use crate::expr_value::ExprValue;

/// The `moved`, `removed` and `import` blocks of one module; addresses are relative to it.
#[derive(Default)]
pub(crate) struct Refactorings {
    pub(crate) moves: Vec<Moved>,
    pub(crate) removals: Vec<Removed>,
    pub(crate) imports: Vec<ImportDeclaration>,
}

/// An `import` block.
pub(crate) struct ImportDeclaration {
    pub(crate) repeat: Repeat,
    pub(crate) to: AddressExpr,
    pub(crate) id: Option<Expr>,
}

/// An address as it is written; keys may be computed.
pub(crate) struct AddressExpr {
    steps: Vec<(Text, Text, Option<Expr>)>,
    object: Option<Expr>,
    pub(crate) span: SourceSpan,
}

impl Refactorings {
    /// Decodes one of the blocks.
    pub(super) fn decode(
        &mut self,
        block: Block,
        file: &Arc<SourceFile>,
        constants: &Constants,
        faults: &mut Diagnostics,
    ) {
        if expect_labels(&block, file, &[], faults).is_none() {
            return;
        }
        let (what, span) = (block.ident.as_str().to_owned(), head_span(&block, file));
        let mut fields = Fields::new(what, span, block.body, faults);
        match fields.what.as_str() {
            "moved" => self.moves.extend(moved(&mut fields, constants)),
            "removed" => self.removals.extend(removed(&mut fields, constants)),
            _ => self.imports.extend(import(&mut fields)),
        }
        fields.finish();
    }
}

fn moved(fields: &mut Fields<'_>, constants: &Constants) -> Option<Moved> {
    let from = constant_address(fields, "from", constants);
    let to = constant_address(fields, "to", constants);
    let ((from, from_span), (to, to_span)) = (from?, to?);
    Some(Moved { from, to, spans: (from_span, to_span) })
}

fn removed(fields: &mut Fields<'_>, constants: &Constants) -> Option<Removed> {
    let from = constant_address(fields, "from", constants);
    let destroy = fields.block("lifecycle").and_then(|mut lifecycle| {
        let destroy = constants.bool(&mut lifecycle, "destroy");
        lifecycle.finish();
        destroy
    });
    let Some(destroy) = destroy else {
        let fault = Diagnostic::error(MISSING_ARGUMENT, "removed does not say what becomes of the objects")
            .at(fields.span.clone())
            .hint(
                "add `lifecycle { destroy = false }` on lines of its own to keep them on the cluster, or \
                 `destroy = true` to delete them",
            );
        fields.fault(fault);
        return None;
    };
    let (from, span) = from?;
    Some(Removed { from, removal: if destroy { Removal::Delete } else { Removal::Forget }, span })
}

fn import(fields: &mut Fields<'_>) -> Option<ImportDeclaration> {
    let repeat = repeat(fields);
    if let Repeat::Count(count) = &repeat {
        let fault = Diagnostic::error(INVALID_ARGUMENT, "import has no argument count")
            .at(count.span())
            .hint("use for_each");
        fields.fault(fault);
    }
    let to = fields.required("to").and_then(|expr| address(&expr, fields));
    let id = fields.expr("id");
    Some(ImportDeclaration { repeat, to: to?, id })
}

/// Takes an address whose keys are written out.
fn constant_address(
    fields: &mut Fields<'_>,
    name: &'static str,
    constants: &Constants,
) -> Option<(Address, SourceSpan)> {
    let expr = fields.required(name)?;
    let address = address(&expr, fields)?;
    let span = address.span.clone();
    match address.resolve(&mut |key| constants.value(key)) {
        Ok(address) => Some((address, span)),
        Err(faults) => {
            fields.faults().extend(faults);
            None
        }
    }
}

/// Reads an address.
fn address(expr: &Expr, fields: &mut Fields<'_>) -> Option<AddressExpr> {
    let parsed = parse(expr);
    if parsed.is_none() {
        let summary = format!("this is no address that {} can name", fields.what);
        fields.fault(
            Diagnostic::error(INVALID_ARGUMENT, summary)
                .at(expr.span())
                .hint("write `TYPE.NAME`, `TYPE.NAME[\"KEY\"]` or `MODULE.NAME.TYPE.NAME`, without quotes around the whole"),
        );
    }
    parsed
}

/// Reads an address, of a block or of what modules declare; `None` if it is none.
pub(super) fn parse(expr: &Expr) -> Option<AddressExpr> {
    let Expression::Traversal(traversal) = &expr.node else { return None };
    let Expression::Variable(root) = &traversal.expr else { return None };
    let mut names = vec![Text::from(root.as_str())];
    let mut found = AddressExpr { steps: Vec::new(), object: None, span: expr.span() };
    let keyed = |node: Expression| Expr::new(node, Arc::clone(&expr.file));
    for operator in &traversal.operators {
        let key = match operator.value() {
            _ if found.object.is_some() => return None,
            TraversalOperator::GetAttr(name) => {
                names.push(name.as_str().into());
                if let [block_type, name] = &names[..] {
                    found.steps.push((block_type.clone(), name.clone(), None));
                    names.clear();
                }
                continue;
            }
            TraversalOperator::Index(key) => keyed(key.clone()),
            TraversalOperator::LegacyIndex(idx) => keyed(Expression::from(*idx.value())),
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => return None,
        };
        match found.steps.last_mut() {
            Some((_, _, slot @ None)) if names.is_empty() => *slot = Some(key),
            Some(_) if names.is_empty() => found.object = Some(key),
            _ => return None,
        }
    }
    let is_resource = |block_type: &Text| {
        !matches!(
            block_type.as_str(),
            "var" | "local" | "read" | "each" | "count" | "cluster" | "path" | "self"
        )
    };
    let whole = names.is_empty() && found.steps.iter().all(|(block_type, ..)| is_resource(block_type));
    whole.then_some(found)
}

impl AddressExpr {
    /// Evaluates the keys.
    ///
    /// # Errors
    /// A key cannot be evaluated, or is neither text nor a whole number.
    pub(crate) fn resolve(
        &self,
        evaluate: &mut dyn FnMut(&Expr) -> Result<ExprValue, Diagnostics>,
    ) -> Result<Address, Diagnostics> {
        let mut address: Option<Address> = None;
        for (block_type, name, key) in &self.steps {
            let key = key.as_ref().map(|key| instance_key(&evaluate(key)?, key)).transpose()?;
            let step = Step::new(block_type.clone(), name.clone(), key);
            address = Some(match address {
                None => Address::root(step),
                Some(outer) => outer.child(step),
            });
        }
        let invalid = || Diagnostic::error(INVALID_ARGUMENT, "this is no address").at(self.span.clone());
        let address = address.ok_or_else(invalid)?;
        match &self.object {
            None => Ok(address),
            Some(key) => match instance_key(&evaluate(key)?, key)? {
                InstanceKey::String(key) => Ok(address.object(key)),
                InstanceKey::Int(_) => Err(invalid().hint("the key of an object is text").into()),
            },
        }
    }

    /// Calls `visit` with every expression in it.
    pub(crate) fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.steps.iter().filter_map(|(.., key)| key.as_ref()).chain(&self.object).for_each(visit);
    }
}

fn instance_key(value: &ExprValue, expr: &Expr) -> Result<InstanceKey, Diagnostics> {
    let number = || u64::try_from(value.as_number()?.as_i64()?).ok();
    let key = match value.as_text() {
        _ if value.is_sensitive() => None,
        Some(text) => Some(InstanceKey::String(text.clone())),
        None => number().map(InstanceKey::Int),
    };
    key.ok_or_else(|| {
        Diagnostic::error(INVALID_ARGUMENT, "an instance key is text or a whole number")
            .at(expr.span())
            .into()
    })
}
