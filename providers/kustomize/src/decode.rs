//! Reads typed fields out of YAML nodes, collecting every fault with its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::{Text, Value};

use crate::codes;
use crate::yaml::{Content, Entry, Node};

/// A value and the place that gives it.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub value: T,
    pub span: SourceSpan,
}

/// Reads one file's nodes. Null stands for "not given" everywhere, as in Go's JSON decoder.
pub(crate) struct Decoder<'a> {
    file: &'a Arc<SourceFile>,
    pub faults: Diagnostics,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(file: &'a Arc<SourceFile>) -> Self {
        Self { file, faults: Diagnostics::default() }
    }

    pub(crate) fn span(&self, range: &Range<usize>) -> SourceSpan {
        SourceSpan::new(Arc::clone(self.file), range.clone())
    }

    pub(crate) fn spanned<T>(&self, node: &Node, value: T) -> Spanned<T> {
        Spanned { value, span: self.span(&node.range) }
    }

    pub(crate) fn fault(&mut self, code: Code, range: &Range<usize>, summary: impl Into<String>) {
        let span = self.span(range);
        self.faults.push(Diagnostic::error(code, summary).at(span));
    }

    pub(crate) fn unknown_field(&mut self, entry: &Entry, owner: &str) {
        let summary = format!("{owner} has no field `{}`", entry.key);
        self.fault(codes::UNKNOWN_FIELD, &entry.key_range, summary);
    }

    pub(crate) fn fields<'n>(&mut self, node: &'n Node) -> &'n [Entry] {
        match &node.content {
            Content::Map(entries) => entries,
            _ => {
                self.unless_null(node, "a map");
                &[]
            }
        }
    }

    pub(crate) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.content {
            Content::List(items) => items,
            _ => {
                self.unless_null(node, "a list");
                &[]
            }
        }
    }

    pub(crate) fn text(&mut self, node: &Node) -> Text {
        match &node.content {
            Content::Scalar(Value::String(text), _) => text.clone(),
            _ => {
                self.unless_null(node, "text");
                Text::default()
            }
        }
    }

    pub(crate) fn spanned_text(&mut self, node: &Node) -> Spanned<Text> {
        let text = self.text(node);
        self.spanned(node, text)
    }

    pub(crate) fn texts(&mut self, node: &Node) -> Vec<Spanned<Text>> {
        self.list(node).iter().map(|item| self.spanned_text(item)).collect()
    }

    pub(crate) fn flag(&mut self, node: &Node) -> bool {
        match &node.content {
            Content::Scalar(Value::Bool(bool), _) => *bool,
            _ => {
                self.unless_null(node, "true or false");
                false
            }
        }
    }

    pub(crate) fn integer(&mut self, node: &Node) -> i64 {
        match &node.content {
            Content::Scalar(value, _) if value.as_i64().is_some() => value.as_i64().unwrap_or_default(),
            _ => {
                self.unless_null(node, "a whole number");
                0
            }
        }
    }

    pub(crate) fn pairs(&mut self, node: &Node) -> BTreeMap<Text, Text> {
        self.fields(node).iter().map(|entry| (entry.key.clone(), self.text(&entry.value))).collect()
    }

    fn unless_null(&mut self, node: &Node, wanted: &str) {
        if node.is_null() {
            return;
        }
        let found = match &node.content {
            Content::Scalar(Value::Bool(_), _) => "true or false",
            Content::Scalar(Value::Number(_), _) => "a number",
            Content::Scalar(..) => "text",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        };
        let diagnostic = Diagnostic::error(codes::WRONG_TYPE, format!("expected {wanted}, found {found}"))
            .at(self.span(&node.range));
        self.faults.push(match node.content {
            Content::Scalar(..) if wanted == "text" => diagnostic.hint("put it in quotes"),
            _ => diagnostic,
        });
    }
}
