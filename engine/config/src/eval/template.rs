//! Templates: quoted strings, heredocs and template files.

use std::ops::Range;

use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, Strip, Template};

use super::codes::TEMPLATE_VALUE;
use super::for_expr::Names;
use super::{Evaluator, Outcome, given, range_of};
use crate::convert::convert;
use crate::expr_value::{ExprValue, Refinement, safe_prefix};
use crate::types::Type;

/// How far a `~` strips white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// To the next text: in a quoted string, whose line ends are written as escapes.
    Joined,
    /// To the end of the line, its line end included: in heredocs and files. The indentation of the next line
    /// stays.
    Apart,
}

/// What has been rendered so far: while nothing in it is unknown, all of it; then, its beginning.
#[derive(Default)]
struct Rendered {
    text: String,
    sensitive: bool,
    unknown: bool,
}

impl Rendered {
    fn push(&mut self, text: &str) {
        if !self.unknown {
            self.text.push_str(text);
        }
    }

    fn into_value(self) -> ExprValue {
        let value = if self.unknown {
            let prefix = safe_prefix(&self.text);
            ExprValue::unknown(Type::String).refined(Refinement { prefix, ..Refinement::not_null() })
        } else {
            ExprValue::string(self.text)
        };
        value.with_sensitivity_of(self.sensitive)
    }
}

/// Whether the text at the edges of a template is stripped by the directives around it.
#[derive(Clone, Copy, Default)]
struct Edges {
    start: bool,
    end: bool,
}

impl Evaluator<'_> {
    /// Evaluates a template: to text, or to the value itself of a template that is one interpolation.
    pub(crate) fn template(&self, template: &Template, lines: Lines, range: &Range<usize>) -> Outcome {
        if let Some(Element::Interpolation(interpolation)) = template.as_single_element() {
            return self.value(&interpolation.expr);
        }
        let value = self.text(template, lines, Edges::default())?;
        self.within_budget(range, self.budget.bytes(value.as_str().map_or(0, str::len) as u64))?;
        Ok(value)
    }

    /// Renders a template to text, or to text that is known after apply.
    fn text(&self, template: &Template, lines: Lines, edges: Edges) -> Outcome {
        let mut out = Rendered::default();
        let mut strip_next = edges.start;
        let mut elements = template.iter().peekable();
        while let Some(element) = elements.next() {
            match element {
                Element::Literal(text) => {
                    let strip_end = elements.peek().map_or(edges.end, |next| strip(next).strip_start());
                    let edges = Edges { start: strip_next, end: strip_end };
                    let mut stripped = String::new();
                    lines.stripped(text.value(), edges, &mut stripped);
                    out.push(&stripped);
                }
                Element::Interpolation(interpolation) => {
                    let value = self.value(&interpolation.expr)?;
                    self.append(&value, &range_of(&interpolation.expr), &mut out)?;
                }
                Element::Directive(directive) => {
                    let (value, condition) = match directive.as_ref() {
                        Directive::If(directive) => {
                            (self.if_directive(directive, lines)?, &directive.if_expr.cond_expr)
                        }
                        Directive::For(directive) => {
                            (self.for_directive(directive, lines)?, &directive.for_expr.collection_expr)
                        }
                    };
                    self.append(&value, &range_of(condition), &mut out)?;
                }
            }
            strip_next = strip(element).strip_end();
        }
        Ok(out.into_value())
    }

    /// Appends a part. What is known after apply is checked then.
    fn append(&self, value: &ExprValue, range: &Range<usize>, out: &mut Rendered) -> Outcome<()> {
        if value.is_null() {
            let summary = "invalid part of a template: it is null";
            return Err(self.fault(TEMPLATE_VALUE, range, summary).into());
        }
        out.sensitive |= value.is_sensitive();
        if value.is_unknown() {
            out.unknown = true;
            return Ok(());
        }
        let part = convert(value, &Type::String).map_err(|error| {
            self.fault(TEMPLATE_VALUE, range, format!("invalid part of a template: {error}"))
                .detail(given(value))
                .hint("jsonencode(…) and yamlencode(…) turn any value into text")
        })?;
        let text = part.as_str().unwrap_or_default();
        self.within_budget(range, self.budget.bytes(text.len() as u64))?;
        out.push(text);
        Ok(())
    }

    fn if_directive(&self, directive: &IfDirective, lines: Lines) -> Outcome {
        let condition = &directive.if_expr.cond_expr;
        let closing = directive.endif_expr.strip.strip_start();
        let otherwise = directive.else_expr.as_ref();
        let edges = Edges {
            start: directive.if_expr.strip.strip_end(),
            end: otherwise.map_or(closing, |next| next.strip.strip_start()),
        };
        let yes = self.text(&directive.if_expr.template, lines, edges);
        let no = match otherwise {
            None => Ok(ExprValue::string("")),
            Some(otherwise) => {
                let edges = Edges { start: otherwise.strip.strip_end(), end: closing };
                self.text(&otherwise.template, lines, edges)
            }
        };
        self.choose(condition, yes, no, &range_of(condition))
    }

    fn for_directive(&self, directive: &ForDirective, lines: Lines) -> Outcome {
        let intro = &directive.for_expr;
        let iteration = self.iteration(&intro.collection_expr)?;
        let mut out = Rendered {
            sensitive: iteration.sensitive,
            unknown: iteration.items.is_none(),
            ..Rendered::default()
        };
        let names =
            Names { key: intro.key_var.as_ref().map(|name| name.as_str()), value: intro.value_var.as_str() };
        let edges = Edges { start: intro.strip.strip_end(), end: directive.endfor_expr.strip.strip_start() };
        let range = range_of(&intro.collection_expr);
        for (key, value) in iteration.items.unwrap_or_default() {
            self.within_budget(&range, self.budget.step())?;
            let turn = self.bound(names, key, value, |inner| inner.text(&intro.template, lines, edges))?;
            self.append(&turn, &range, &mut out)?;
        }
        if out.unknown {
            return Ok(ExprValue::unknown(Type::String).with_sensitivity_of(out.sensitive));
        }
        Ok(out.into_value())
    }
}

/// Returns what an element strips around itself.
fn strip(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => {
            let (open, close) = match directive.as_ref() {
                Directive::If(directive) => (directive.if_expr.strip, directive.endif_expr.strip),
                Directive::For(directive) => (directive.for_expr.strip, directive.endfor_expr.strip),
            };
            Strip::from((open.strip_start(), close.strip_end()))
        }
    }
}

impl Lines {
    /// Appends text without the white space that the elements around it strip.
    fn stripped(self, text: &str, edges: Edges, out: &mut String) {
        let (first, mut rest) = self.first(text);
        let first = if edges.start { first.trim_start() } else { first };
        if !edges.end {
            out.push_str(first);
        } else if rest.is_empty() {
            rest = first.trim_end();
        } else {
            let (middle, last) = self.last(rest);
            out.push_str(first);
            out.push_str(middle);
            rest = last.trim_end();
        }
        out.push_str(rest);
    }

    /// Splits off what a `~` before the text looks at.
    fn first(self, text: &str) -> (&str, &str) {
        match self {
            Self::Joined => (text, ""),
            Self::Apart => text.split_at(text.find('\n').map_or(text.len(), |idx| idx + 1)),
        }
    }

    /// Splits off what a `~` behind the text looks at.
    fn last(self, text: &str) -> (&str, &str) {
        match self {
            Self::Joined => ("", text),
            Self::Apart => {
                // A text that ends with a line end has that line as its last one.
                let end = text.strip_suffix('\n').unwrap_or(text);
                text.split_at(end.rfind('\n').map_or(0, |idx| idx + 1))
            }
        }
    }
}
