//! Templates: quoted strings, heredocs and template files.

use std::borrow::Cow;
use std::ops::Range;

use hcl_edit::expr::Expression;
use hcl_edit::template::{Directive, Element, ForDirective, HeredocTemplate, Strip, Template};
use hcl_edit::{Span, Spanned};

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
    /// The same, and as many spaces are taken off the start of every line as all of them have: in heredocs of the form
    /// `<<-`.
    Flushed(usize),
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

/// How a template begins and ends.
#[derive(Clone, Copy, Default)]
struct Edges {
    /// Whether text at its start is stripped by the directive before it.
    start: bool,
    /// Whether text at its end is stripped by the directive behind it.
    end: bool,
    /// Whether it begins at the start of a line.
    line_start: bool,
}

impl Evaluator<'_> {
    /// Evaluates a template: to text, or to the value itself of a template that is one interpolation.
    pub(crate) fn template(&self, template: &Template, lines: Lines, range: &Range<usize>) -> Outcome {
        if let Some(Element::Interpolation(interpolation)) = template.as_single_element() {
            return self.value(&interpolation.expr);
        }
        let edges = Edges { line_start: true, ..Edges::default() };
        let value = self.text(template, lines, edges)?;
        self.within_budget(range, self.budget.bytes(value.as_str().map_or(0, str::len) as u64))?;
        Ok(value)
    }

    /// Evaluates a heredoc.
    pub(super) fn heredoc(&self, heredoc: &HeredocTemplate, range: &Range<usize>) -> Outcome {
        let source = self.scope.file().text.get(range.clone()).unwrap_or_default();
        let lines = if source.trim_start().starts_with("<<-") {
            let edges = Edges { line_start: true, ..Edges::default() };
            let mut margin = usize::MAX;
            self.measure(&heredoc.template, edges, &mut margin);
            Lines::Flushed(margin)
        } else {
            Lines::Apart
        };
        self.template(&heredoc.template, lines, range)
    }

    /// Finds the fewest spaces that a line begins with, once `~` has stripped what it strips. Tells whether the template
    /// ends with a line end.
    fn measure(&self, template: &Template, edges: Edges, margin: &mut usize) -> bool {
        let mut line_start = edges.line_start;
        let mut strip_next = edges.start;
        let mut elements = template.iter().peekable();
        while let Some(element) = elements.next() {
            if let Element::Literal(text) = element {
                let end = elements.peek().map_or(edges.end, |next| strip(next).strip_start());
                let text = self.literal(text, Lines::Flushed(0));
                for line in Lines::Apart.split(&text, Edges { start: strip_next, end, line_start }) {
                    if line_start && !is_blank(line) {
                        *margin = (*margin).min(indentation(line));
                    }
                    line_start = line.ends_with('\n');
                }
            } else {
                let ends_line = match element {
                    Element::Directive(directive) => self.measure_bodies(directive, margin),
                    _ => false,
                };
                if line_start || ends_line {
                    *margin = 0;
                }
                line_start = false;
            }
            strip_next = strip(element).strip_end();
        }
        line_start
    }

    /// Measures what is in a directive. Tells whether one of its closing marks is at the start of a line.
    fn measure_bodies(&self, directive: &Directive, margin: &mut usize) -> bool {
        bodies(directive)
            .into_iter()
            .fold(false, |ends_line, (template, edges)| self.measure(template, edges, margin) | ends_line)
    }

    /// Returns the text of a literal; where lines are flushed, as it is in the file.
    fn literal<'t>(&self, text: &'t Spanned<String>, lines: Lines) -> Cow<'t, str> {
        let source = text.span().and_then(|span| self.scope.file().text.get(span));
        match (lines, source) {
            // The parser has flushed the lines in its own way.
            (Lines::Flushed(_), Some(source)) => source.replace("$${", "${").replace("%%{", "%{").into(),
            _ => text.value().as_str().into(),
        }
    }

    /// Renders a template to text, or to text that is known after apply.
    fn text(&self, template: &Template, lines: Lines, edges: Edges) -> Outcome {
        let mut out = Rendered::default();
        let mut strip_next = edges.start;
        let mut line_start = edges.line_start;
        let mut elements = template.iter().peekable();
        while let Some(element) = elements.next() {
            match element {
                Element::Literal(text) => {
                    let end = elements.peek().map_or(edges.end, |next| strip(next).strip_start());
                    let text = self.literal(text, lines);
                    for line in lines.split(&text, Edges { start: strip_next, end, line_start }) {
                        out.push(lines.flushed(line, line_start));
                        line_start = line.ends_with('\n');
                    }
                }
                Element::Interpolation(interpolation) => {
                    let value = self.value(&interpolation.expr)?;
                    self.append(&value, &range_of(&interpolation.expr), &mut out)?;
                }
                Element::Directive(directive) => {
                    let (value, head) = match directive.as_ref() {
                        Directive::If(choice) => {
                            let condition = &choice.if_expr.cond_expr;
                            (self.if_directive(directive, condition, lines)?, condition)
                        }
                        Directive::For(repeated) => {
                            (self.for_directive(repeated, lines)?, &repeated.for_expr.collection_expr)
                        }
                    };
                    self.append(&value, &range_of(head), &mut out)?;
                }
            }
            line_start &= matches!(element, Element::Literal(_));
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

    fn if_directive(&self, directive: &Directive, condition: &Expression, lines: Lines) -> Outcome {
        let mut bodies = bodies(directive).into_iter();
        let mut body = || match bodies.next() {
            Some((template, edges)) => self.text(template, lines, edges),
            None => Ok(ExprValue::string("")),
        };
        let arms = ((body(), Type::String), (body(), Type::String));
        self.choose(condition, arms, &range_of(condition))
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
        let edges = for_edges(directive);
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

fn for_edges(directive: &ForDirective) -> Edges {
    let (start, end) = (directive.for_expr.strip.strip_end(), directive.endfor_expr.strip.strip_start());
    Edges { start, end, line_start: false }
}

/// Returns the templates in a directive.
fn bodies(directive: &Directive) -> Vec<(&Template, Edges)> {
    let directive = match directive {
        Directive::For(directive) => return vec![(&directive.for_expr.template, for_edges(directive))],
        Directive::If(directive) => directive,
    };
    let start = directive.if_expr.strip.strip_end();
    let closing = directive.endif_expr.strip.strip_start();
    let otherwise = directive.else_expr.as_ref();
    let end = otherwise.map_or(closing, |next| next.strip.strip_start());
    let mut found = vec![(&directive.if_expr.template, Edges { start, end, line_start: false })];
    found.extend(otherwise.map(|otherwise| {
        let edges = Edges { start: otherwise.strip.strip_end(), end: closing, line_start: false };
        (&otherwise.template, edges)
    }));
    found
}

/// Tells whether a line holds nothing but white space.
fn is_blank(line: &str) -> bool {
    line.ends_with('\n') && line.trim().is_empty()
}

/// Returns the number of spaces that a line begins with.
fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

impl Lines {
    /// Splits text into lines, without the white space that the elements around it strip of the first and last.
    fn split(self, text: &str, edges: Edges) -> Vec<&str> {
        let mut lines: Vec<_> = match self {
            Self::Joined => vec![text],
            Self::Apart | Self::Flushed(_) => text.split_inclusive('\n').collect(),
        };
        if let Some(first) = lines.first_mut().filter(|_| edges.start) {
            *first = first.trim_start();
        }
        if let Some(last) = lines.last_mut().filter(|_| edges.end) {
            *last = last.trim_end();
        }
        lines
    }

    /// Takes the margin off a line.
    fn flushed(self, line: &str, line_start: bool) -> &str {
        match self {
            Self::Flushed(margin) if line_start && !is_blank(line) => {
                let mut chars = line.chars();
                (0..margin.min(indentation(line))).for_each(|_| _ = chars.next());
                chars.as_str()
            }
            _ => line,
        }
    }
}
