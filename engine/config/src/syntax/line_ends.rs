//! Where text must end, which the parser does not check: a quoted text on its line, a heredoc with a line of its own.
//!
//! # Source
//! HCL native syntax specification, "Template Expressions".

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use hcl_edit::template::{HeredocTemplate, Interpolation, StringTemplate};
use hcl_edit::visit::{self, Visit};
use hcl_edit::{Decorated, Span, Spanned};

use crate::codes::SYNTAX;

/// Finds the texts of a file that end where they must not.
pub(super) fn check(file: &Arc<SourceFile>, body: &Body) -> Result<(), Diagnostics> {
    found(file, |texts| texts.visit_body(body))
}

/// Finds those of an expression.
pub(crate) fn check_expression(file: &Arc<SourceFile>, expression: &Expression) -> Result<(), Diagnostics> {
    found(file, |texts| texts.visit_expr(expression))
}

fn found(file: &Arc<SourceFile>, visit: impl FnOnce(&mut Texts<'_>)) -> Result<(), Diagnostics> {
    let mut texts = Texts { file, is_quoted: false, faults: Diagnostics::default() };
    visit(&mut texts);
    if texts.faults.is_empty() { Ok(()) } else { Err(texts.faults) }
}

struct Texts<'a> {
    file: &'a Arc<SourceFile>,
    /// Whether literals stand in quotes here, and not in a heredoc.
    is_quoted: bool,
    faults: Diagnostics,
}

impl Texts<'_> {
    /// Looks at a text as it is written: a line end in it may come from an escape.
    fn text(&mut self, text: &str, range: Option<Range<usize>>) {
        let Some(range) = range.filter(|_| text.contains('\n')) else { return };
        if self.file.text.get(range.clone()).is_some_and(|written| written.contains('\n')) {
            let fault = Diagnostic::error(SYNTAX, "syntax error: a quoted text ends on its line");
            let fault = fault.at(SourceSpan::new(Arc::clone(self.file), range));
            self.faults.push(fault.hint("write \\n for a line end, or a heredoc"));
        }
    }

    /// Looks at what follows the closing mark of a heredoc.
    fn end_of_heredoc(&mut self, range: Option<Range<usize>>) {
        let Some(end) = range.map(|range| range.end) else { return };
        let rest = self.file.text.get(end..).unwrap_or_default();
        let rest = rest.lines().next().unwrap_or_default();
        if !rest.trim().is_empty() {
            let start = end + rest.len() - rest.trim_start().len();
            let summary = "syntax error: something stands behind the closing mark of a heredoc";
            let span = SourceSpan::new(Arc::clone(self.file), start..end + rest.trim_end().len());
            let hint = "the mark stands on a line of its own; if this is text, choose another mark";
            self.faults.push(Diagnostic::error(SYNTAX, summary).at(span).hint(hint));
        }
    }

    fn inside(&mut self, is_quoted: bool, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.is_quoted, is_quoted);
        visit(self);
        self.is_quoted = outside;
    }
}

impl Visit for Texts<'_> {
    fn visit_string(&mut self, node: &Decorated<String>) {
        self.text(node.as_str(), node.span());
    }

    fn visit_literal(&mut self, node: &Spanned<String>) {
        if self.is_quoted {
            self.text(node.as_str(), node.span());
        }
    }

    fn visit_string_template(&mut self, node: &StringTemplate) {
        self.inside(true, |texts| visit::visit_string_template(texts, node));
    }

    fn visit_heredoc_template(&mut self, node: &HeredocTemplate) {
        self.end_of_heredoc(node.span());
        self.inside(false, |texts| visit::visit_heredoc_template(texts, node));
    }

    fn visit_interpolation(&mut self, node: &Interpolation) {
        self.inside(false, |texts| visit::visit_interpolation(texts, node));
    }
}
