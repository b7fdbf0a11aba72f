//! The contents of a block: attributes, and nested blocks that stand for objects.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use super::dynamic::{DYNAMIC, Dynamic, dynamic, stands_for};
use crate::codes::{DUPLICATE, LABELS, MISSING_ARGUMENT, UNKNOWN_ARGUMENT};
use crate::eval::did_you_mean;
use crate::expr_value::nfc;

/// A name with the place where it is written.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) text: Text,
    pub(crate) span: SourceSpan,
}

/// An expression with the file it is written in.
#[derive(Clone)]
pub(crate) struct Expr {
    pub(crate) node: Expression,
    pub(crate) file: Arc<SourceFile>,
    /// The iterators of `dynamic` blocks around it.
    pub(crate) bound: Vec<Text>,
}

impl Expr {
    pub(crate) fn new(node: Expression, file: Arc<SourceFile>) -> Self {
        Self { node, file, bound: Vec::new() }
    }

    pub(crate) fn span(&self) -> SourceSpan {
        SourceSpan::new(Arc::clone(&self.file), self.node.span().unwrap_or_default())
    }
}

/// The value of an argument: an expression, or a nested block, which means an object.
#[derive(Clone)]
pub(crate) enum Argument {
    Expr(Expr),
    Object(Vec<(Name, Argument)>, SourceSpan),
    /// As many nested blocks as a collection has items.
    Dynamic(Box<Dynamic>),
    /// Nested blocks of one name, some of them dynamic.
    Blocks(Vec<Argument>, SourceSpan),
}

impl Argument {
    pub(crate) fn span(&self) -> SourceSpan {
        match self {
            Self::Expr(expr) => expr.span(),
            Self::Object(_, span) | Self::Blocks(_, span) => span.clone(),
            Self::Dynamic(dynamic) => dynamic.span(),
        }
    }

    /// Tells whether it comes from blocks with labels: the first key of an object lies in the block's head.
    pub(crate) fn is_labelled(&self) -> bool {
        match self {
            Self::Object(entries, head) => entries.first().is_some_and(|(key, _)| key.span.start < head.end),
            Self::Dynamic(dynamic) => !dynamic.labels.is_empty(),
            Self::Blocks(parts, _) => parts.iter().all(Self::is_labelled),
            Self::Expr(_) => false,
        }
    }

    fn is_expr(&self) -> bool {
        matches!(self, Self::Expr(_))
    }

    fn is_dynamic(&self) -> bool {
        matches!(self, Self::Dynamic(_) | Self::Blocks(..))
    }

    /// Calls `visit` with every expression in it.
    pub(crate) fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Expr(expr) => visit(expr),
            Self::Object(entries, _) => entries.iter().for_each(|(_, entry)| entry.each_expr(visit)),
            Self::Blocks(parts, _) => parts.iter().for_each(|part| part.each_expr(visit)),
            Self::Dynamic(dynamic) => {
                visit(&dynamic.for_each);
                dynamic.labels.iter().for_each(&mut *visit);
                dynamic.content.each_expr(visit);
            }
        }
    }
}

/// What is left to read of a block's contents.
pub(crate) struct Fields<'f> {
    pub(crate) file: Arc<SourceFile>,
    /// The block in words: "variable \"tag\"".
    pub(crate) what: String,
    /// The block's head.
    pub(crate) span: SourceSpan,
    structures: Vec<Structure>,
    known: Vec<&'static str>,
    faults: &'f mut Diagnostics,
}

impl<'f> Fields<'f> {
    pub(crate) fn new(what: String, span: SourceSpan, body: Body, faults: &'f mut Diagnostics) -> Self {
        Self {
            file: Arc::clone(&span.file),
            what,
            span,
            structures: body.into_iter().collect(),
            known: Vec::new(),
            faults,
        }
    }

    pub(crate) fn fault(&mut self, diagnostic: Diagnostic) {
        self.faults.push(diagnostic);
    }

    pub(crate) fn faults(&mut self) -> &mut Diagnostics {
        self.faults
    }

    /// Takes an argument, as an attribute or as nested blocks.
    pub(crate) fn argument(&mut self, name: &'static str) -> Option<Argument> {
        self.known.push(name);
        let taken = self.take(name);
        let mut arguments = arguments(taken, &self.file, self.faults);
        arguments.pop().map(|(_, argument)| argument)
    }

    /// Takes an attribute.
    pub(crate) fn expr(&mut self, name: &'static str) -> Option<Expr> {
        match self.argument(name)? {
            Argument::Expr(expr) => Some(expr),
            other => {
                let span = other.span();
                let summary = format!("{name} of {} is an argument, not a block", self.what);
                self.fault(
                    Diagnostic::error(UNKNOWN_ARGUMENT, summary).at(span).hint(format!("write `{name} = …`")),
                );
                None
            }
        }
    }

    /// Takes an attribute that must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Option<Expr> {
        let known = self.has(name);
        let expr = self.expr(name);
        if !known {
            self.missing(name);
        }
        expr
    }

    pub(crate) fn missing(&mut self, name: &str) {
        let summary = format!("{} needs the argument {name}", self.what);
        self.fault(
            Diagnostic::error(MISSING_ARGUMENT, summary)
                .at(self.span.clone())
                .hint(format!("add `{name} = …`")),
        );
    }

    /// Takes all nested blocks of a name.
    pub(crate) fn blocks(&mut self, name: &'static str) -> Vec<Block> {
        self.known.push(name);
        let is_block =
            |structure: &Structure| matches!(structure, Structure::Block(block) if block.has_ident(name));
        let (blocks, rest) =
            std::mem::take(&mut self.structures).into_iter().partition::<Vec<_>, _>(is_block);
        self.structures = rest;
        blocks.into_iter().filter_map(|structure| structure.into_block().ok()).collect()
    }

    /// Takes the one nested block of a name, without labels.
    pub(crate) fn block(&mut self, name: &'static str) -> Option<Fields<'_>> {
        let mut blocks = self.blocks(name).into_iter();
        let block = blocks.next()?;
        let span = head_span(&block, &self.file);
        if let Some(second) = blocks.next() {
            let second = head_span(&second, &self.file);
            self.fault(twice(&format!("block {name}"), second, span.clone()));
        }
        Some(Fields::new(format!("{name} of {}", self.what), span, block.body, self.faults))
    }

    /// Takes everything that is left.
    pub(crate) fn rest(&mut self) -> Vec<(Name, Argument)> {
        arguments(std::mem::take(&mut self.structures), &self.file, self.faults)
    }

    /// Reports everything that is left as unknown.
    pub(crate) fn finish(self) {
        for structure in &self.structures {
            let name = match structure {
                Structure::Attribute(attribute) => name_of(&attribute.key, &self.file),
                Structure::Block(block) => match labels(block, &self.file).into_iter().next() {
                    Some(label) if block.has_ident(DYNAMIC) => label,
                    _ => name_of(&block.ident, &self.file),
                },
            };
            self.faults.push(unknown_argument(&name, &self.what, self.known.iter().copied()));
        }
    }

    /// Tells whether something of that name is left.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.structures.iter().any(|structure| has_name(structure, name))
    }

    fn take(&mut self, name: &str) -> Vec<Structure> {
        let (taken, rest) =
            std::mem::take(&mut self.structures).into_iter().partition(|structure| has_name(structure, name));
        self.structures = rest;
        taken
    }
}

fn has_name(structure: &Structure, name: &str) -> bool {
    match structure {
        Structure::Attribute(attribute) => attribute.has_key(name),
        Structure::Block(block) => block.has_ident(name) || stands_for(structure) == Some(name),
    }
}

/// Builds the error for an argument that a block does not have.
pub(crate) fn unknown_argument<'a>(
    name: &Name,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    if matches!(name.text.as_str(), "timeouts" | "lifecycle") {
        let summary = format!("{} of {what} is a block, not an argument", name.text);
        let hint = format!("write `{} {{ … }}`", name.text);
        return Diagnostic::error(UNKNOWN_ARGUMENT, summary).at(name.span.clone()).hint(hint);
    }
    let summary = format!("{what} has no argument {}", name.text);
    let mut names: Vec<&str> = known.clone().collect();
    names.sort_unstable();
    let hint = did_you_mean(&name.text, known).unwrap_or_else(|| match names.len() {
        0 => "it takes no arguments".to_owned(),
        _ => format!("it takes {}", names.join(", ")),
    });
    Diagnostic::error(UNKNOWN_ARGUMENT, summary).at(name.span.clone()).hint(hint)
}

/// Builds the error for two declarations of one thing.
pub(crate) fn twice(what: &str, second: SourceSpan, first: SourceSpan) -> Diagnostic {
    Diagnostic::error(DUPLICATE, format!("{what} is declared twice"))
        .at(second)
        .label(first, "first declared here")
}

pub(crate) fn name_of(ident: &hcl_edit::Decorated<hcl_edit::Ident>, file: &Arc<SourceFile>) -> Name {
    Name {
        text: nfc(ident.as_str()),
        span: SourceSpan::new(Arc::clone(file), ident.span().unwrap_or_default()),
    }
}

/// Returns the place of a block's type and labels.
pub(crate) fn head_span(block: &Block, file: &Arc<SourceFile>) -> SourceSpan {
    let start = block.ident.span().unwrap_or_default();
    let end = block.labels.iter().filter_map(Span::span).map(|label| label.end).fold(start.end, usize::max);
    SourceSpan::new(Arc::clone(file), start.start..end)
}

/// Returns a block's labels.
pub(crate) fn labels(block: &Block, file: &Arc<SourceFile>) -> Vec<Name> {
    let label = |label: &BlockLabel| Name {
        text: label.as_str().into(),
        span: SourceSpan::new(Arc::clone(file), label.span().unwrap_or_default()),
    };
    block.labels.iter().map(label).collect()
}

/// Turns structures into arguments: `b { … }` means `b = { … }`, `b "x" { … }` means `b = { x = { … } }`.
///
/// The parser bounds how deep blocks nest, and so this recursion.
pub(super) fn arguments(
    structures: Vec<Structure>,
    file: &Arc<SourceFile>,
    faults: &mut Diagnostics,
) -> Vec<(Name, Argument)> {
    let mut found: Vec<(Name, Argument)> = Vec::with_capacity(structures.len());
    for structure in structures {
        let (name, argument) = match structure {
            Structure::Attribute(attribute) => {
                let name = name_of(&attribute.key, file);
                (name, Argument::Expr(Expr::new(attribute.value, Arc::clone(file))))
            }
            Structure::Block(block) if block.has_ident(DYNAMIC) => match dynamic(block, file, faults) {
                Some(dynamic) => (dynamic.name.clone(), Argument::Dynamic(Box::new(dynamic))),
                None => continue,
            },
            Structure::Block(block) => (name_of(&block.ident, file), nested(block, file, faults)),
        };
        match found.iter_mut().find(|(known, _)| known.text == name.text) {
            None => found.push((name, argument)),
            Some((first, known)) => merge(first, known, (name, argument), faults),
        }
    }
    found
}

fn nested(block: Block, file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Argument {
    let span = head_span(&block, file);
    let labels = labels(&block, file);
    let inner = arguments(block.body.into_iter().collect(), file, faults);
    let object = Argument::Object(inner, span.clone());
    labels
        .into_iter()
        .rev()
        .fold(object, |object, label| Argument::Object(vec![(label, object)], span.clone()))
}

/// Joins labelled blocks of one name; anything else is declared twice.
fn merge(first: &Name, known: &mut Argument, second: (Name, Argument), faults: &mut Diagnostics) {
    let (name, second) = second;
    if known.is_dynamic() && !second.is_expr() || second.is_dynamic() && !known.is_expr() {
        let span = first.span.clone();
        match known {
            Argument::Blocks(parts, _) => parts.push(second),
            _ => *known = Argument::Blocks(vec![known.clone(), second], span),
        }
        return;
    }
    let joins = known.is_labelled() && second.is_labelled();
    if let (true, Argument::Object(entries, _), Argument::Object(new, _)) = (joins, known, second) {
        for (label, value) in new {
            match entries.iter().find(|(known, _)| known.text == label.text) {
                Some((known, _)) => faults.push(twice(
                    &format!("block {} {:?}", name.text, label.text),
                    label.span,
                    known.span.clone(),
                )),
                None => entries.push((label, value)),
            }
        }
        return;
    }
    faults.push(
        twice(&format!("argument {}", name.text), name.span, first.span.clone())
            .hint("blocks of one name need different labels; a list is written as `name = [{ … }, …]`"),
    );
}

/// Checks the number of a block's labels and that each is a name.
pub(crate) fn expect_labels(
    block: &Block,
    file: &Arc<SourceFile>,
    expected: &[&str],
    faults: &mut Diagnostics,
) -> Option<Vec<Name>> {
    let labels = labels(block, file);
    let span = head_span(block, file);
    let kind = block.ident.as_str();
    if labels.len() != expected.len() {
        let form: String = expected.iter().map(|label| format!(" \"{label}\"")).collect();
        let summary = format!("block {kind} has {} labels, {} expected", labels.len(), expected.len());
        faults
            .push(Diagnostic::error(LABELS, summary).at(span).hint(format!("write `{kind}{form} {{ … }}`")));
        return None;
    }
    for label in &labels {
        if !is_name(&label.text) {
            let summary = format!("{:?} is not a valid name", label.text);
            faults.push(
                Diagnostic::error(LABELS, summary)
                    .at(label.span.clone())
                    .hint("a name starts with a letter and has letters, digits, `_` and `-` (ASCII)"),
            );
            return None;
        }
    }
    Some(labels)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
