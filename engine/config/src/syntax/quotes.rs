//! Quoted text ends on its line, which the parser does not check.
//!
//! # Source
//! HCL native syntax specification, "Template Expressions": quoted templates hold no literal newline.

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use hcl_edit::template::{HeredocTemplate, Interpolation, StringTemplate};
use hcl_edit::visit::{self, Visit};
use hcl_edit::{Decorated, Span, Spanned};

use crate::codes::SYNTAX;

/// Finds the quoted texts of a file that go on in the next line.
pub(super) fn check(file: &Arc<SourceFile>, body: &Body) -> Result<(), Diagnostics> {
    let mut quotes = Quotes { file, is_quoted: false, faults: Diagnostics::default() };
    quotes.visit_body(body);
    if quotes.faults.is_empty() { Ok(()) } else { Err(quotes.faults) }
}

/// Finds those of an expression.
pub(crate) fn check_expression(file: &Arc<SourceFile>, expression: &Expression) -> Result<(), Diagnostics> {
    let mut quotes = Quotes { file, is_quoted: false, faults: Diagnostics::default() };
    quotes.visit_expr(expression);
    if quotes.faults.is_empty() { Ok(()) } else { Err(quotes.faults) }
}

struct Quotes<'a> {
    file: &'a Arc<SourceFile>,
    /// Whether literals stand in quotes here, and not in a heredoc.
    is_quoted: bool,
    faults: Diagnostics,
}

impl Quotes<'_> {
    /// Looks at a text as it is written: a line end in it may come from an escape.
    fn text(&mut self, text: &str, range: Option<Range<usize>>) {
        let Some(range) = range.filter(|_| text.contains('\n')) else { return };
        if self.file.text.get(range.clone()).is_some_and(|written| written.contains('\n')) {
            let fault = Diagnostic::error(SYNTAX, "syntax error: a quoted text ends on its line");
            let fault = fault.at(SourceSpan::new(Arc::clone(self.file), range));
            self.faults.push(fault.hint("write \\n for a line end, or a heredoc"));
        }
    }

    fn inside(&mut self, is_quoted: bool, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.is_quoted, is_quoted);
        visit(self);
        self.is_quoted = outside;
    }
}

impl Visit for Quotes<'_> {
    fn visit_string(&mut self, node: &Decorated<String>) {
        self.text(node.as_str(), node.span());
    }

    fn visit_literal(&mut self, node: &Spanned<String>) {
        if self.is_quoted {
            self.text(node.as_str(), node.span());
        }
    }

    fn visit_string_template(&mut self, node: &StringTemplate) {
        self.inside(true, |quotes| visit::visit_string_template(quotes, node));
    }

    fn visit_heredoc_template(&mut self, node: &HeredocTemplate) {
        self.inside(false, |quotes| visit::visit_heredoc_template(quotes, node));
    }

    fn visit_interpolation(&mut self, node: &Interpolation) {
        self.inside(false, |quotes| visit::visit_interpolation(quotes, node));
    }
}
