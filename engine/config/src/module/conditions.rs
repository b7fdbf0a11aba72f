//! `precondition`, `postcondition` and `check`: what must hold, before and after an apply.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::structure::Block;

use super::constant::Constants;
use super::fields::{Expr, Fields, Name, expect_labels, head_span};
use super::resource::Resources;
use super::{Declaration, Repeat};
use crate::codes::{INVALID_ARGUMENT, MISSING_ARGUMENT};

/// A condition and what to say when it does not hold.
pub(crate) struct Condition {
    pub(crate) condition: Expr,
    pub(crate) message: Expr,
}

/// The conditions of a `lifecycle` block.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) before: Vec<Condition>,
    /// Here `self` is the object.
    pub(crate) after: Vec<Condition>,
}

/// A `check` block; its read is a block of the module.
pub(crate) struct Check {
    pub(crate) span: SourceSpan,
    pub(crate) assertions: Vec<Condition>,
}

/// Takes all nested blocks of a name that have a condition and an error message.
pub(super) fn conditions(fields: &mut Fields<'_>, name: &'static str) -> Vec<Condition> {
    let mut found = Vec::new();
    for block in fields.blocks(name) {
        let span = head_span(&block, &fields.file);
        let mut inner = Fields::new(name.to_owned(), span, block.body, fields.faults());
        let condition = inner.required("condition");
        let message = inner.required("error_message");
        inner.finish();
        if let (Some(condition), Some(message)) = (condition, message) {
            found.push(Condition { condition, message });
        }
    }
    found
}

/// Decodes a `check` block: its name, the check, and the read inside it.
pub(super) fn check(
    block: Block,
    file: &Arc<SourceFile>,
    constants: &Constants,
    faults: &mut Diagnostics,
) -> Option<(Name, Check, Option<Declaration>)> {
    let name = expect_labels(&block, file, &["NAME"], faults)?.pop()?;
    let span = head_span(&block, file);
    let mut fields = Fields::new(format!("check {:?}", name.text), span.clone(), block.body, faults);
    let reads = fields.blocks("read");
    let assertions = conditions(&mut fields, "assert");
    if assertions.is_empty() && fields.faults().is_empty() {
        let summary = format!("{} asserts nothing", fields.what);
        let fault = Diagnostic::error(MISSING_ARGUMENT, summary)
            .at(span.clone())
            .hint("add a block `assert` with `condition` and `error_message`");
        fields.fault(fault);
    }
    fields.finish();
    let mut declared = Vec::new();
    for read in reads {
        let place = head_span(&read, file);
        let read = Resources { constants, file, faults: &mut *faults }.read(read);
        declared.extend(read.map(|read| (read, place)));
    }
    if let Some((_, place)) = declared.get(1) {
        let fault = Diagnostic::error(INVALID_ARGUMENT, "a check has one read");
        faults.push(fault.at(place.clone()).hint("move it to a check of its own, or out of the check"));
    }
    let read = declared.into_iter().next().map(|(read, place)| {
        if !matches!(read.repeat, Repeat::Once) {
            let fault =
                Diagnostic::error(INVALID_ARGUMENT, "the read of a check has no for_each and no count");
            faults.push(fault.at(place).hint("move the read out of the check"));
        }
        Declaration { scope: Some(name.text.clone()), ..read }
    });
    Some((name, Check { span, assertions }, read))
}

/// The checks of a module, by name.
pub(crate) type Checks = BTreeMap<Text, Check>;

impl Condition {
    /// Calls `visit` with both expressions.
    pub(crate) fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(&self.condition);
        visit(&self.message);
    }
}
