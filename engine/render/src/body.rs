//! The fields of a change as lines, before any colour or markup.
//!
//! What has only one side (a creation, a deletion) is shown as a tree like YAML; what has two, as one path a
//! change. Both the text and the Markdown renderer draw these lines.

use engine_core::field_path::{FieldPath, PathElement};
use engine_core::plan::{FieldChange, Shown};
use engine_core::value::{Text, Value};
use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};

use crate::escape::{escape, quoted};

/// Lines of a text that are shown when all of it is new or gone; the JSON form has them all.
const MAX_TEXT_LINES: usize = 12;

/// Lines of a text beyond which no line-by-line difference is made.
const MAX_DIFF_LINES: usize = 20_000;

/// Unchanged lines shown around a changed one.
const CONTEXT_LINES: usize = 3;

/// What happens to the thing on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Add,
    Remove,
    Change,
    Keep,
}

/// One line; every text in it is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// Something there on one side, or around a change.
    One {
        /// What happens to it.
        sign: Sign,
        /// Steps of indentation.
        depth: usize,
        /// The line.
        text: String,
    },
    /// A value that becomes another.
    Two {
        /// The field.
        label: String,
        /// Live.
        before: String,
        /// Predicted.
        after: String,
    },
}

/// Returns the lines of some field changes, in their order.
pub(crate) fn lines<'a>(fields: impl IntoIterator<Item = &'a FieldChange>) -> Vec<Line> {
    let fields: Vec<&FieldChange> = fields.into_iter().collect();
    let mut body = Body { lines: Vec::new(), text_lines: MAX_TEXT_LINES };
    if fields.iter().all(|field| field.before == Shown::Absent) {
        body.tree(Sign::Add, &fields, 0, 0);
    } else if fields.iter().all(|field| field.after == Shown::Absent) {
        body.tree(Sign::Remove, &fields, 0, 0);
    } else {
        fields.into_iter().for_each(|field| body.field(field));
    }
    body.lines
}

struct Body {
    lines: Vec<Line>,
    /// Lines shown of each text.
    text_lines: usize,
}

impl Body {
    fn one(&mut self, sign: Sign, depth: usize, text: impl Into<String>) {
        let text = text.into();
        self.lines.push(Line::One { sign, depth, text });
    }

    /// Draws fields that share their first `from` steps. Steps that lead to a single place share a line.
    fn tree(&mut self, sign: Sign, fields: &[&FieldChange], from: usize, depth: usize) {
        for group in fields.chunk_by(|a, b| step(a, from) == step(b, from)) {
            let first = group[0];
            let mut end = from + 1;
            let goes_on = |end: usize| {
                step(first, end).is_some() && group.iter().all(|field| step(field, end) == step(first, end))
            };
            while goes_on(end) {
                end += 1;
            }
            let label = label(&first.path.elements()[from..end]);
            let (leaves, inner): (Vec<&FieldChange>, Vec<&FieldChange>) =
                group.iter().partition(|field| field.path.elements().len() <= end);
            for leaf in leaves {
                let shown = if sign == Sign::Remove { &leaf.before } else { &leaf.after };
                self.shown(sign, depth, &label, shown);
            }
            if !inner.is_empty() {
                self.one(sign, depth, format!("{label}:"));
                self.tree(sign, &inner, end, depth + 1);
            }
        }
    }

    fn field(&mut self, field: &FieldChange) {
        let label = path_text(&field.path);
        match (&field.before, &field.after) {
            (Shown::Absent, after) => self.shown(Sign::Add, 0, &label, after),
            (before, Shown::Absent) => self.shown(Sign::Remove, 0, &label, before),
            (Shown::Value(before), Shown::Value(after)) if takes_lines(before) || takes_lines(after) => {
                self.one(Sign::Change, 0, format!("{label}:"));
                match (before, after) {
                    (Value::String(before), Value::String(after)) => {
                        self.difference(&text_lines(before), &text_lines(after));
                    }
                    _ => self.difference(&drawn(before), &drawn(after)),
                }
            }
            (before, after) => {
                let (before, after) = (summary(before), summary(after));
                if before == after {
                    self.one(Sign::Change, 0, format!("{label}: {after}"));
                } else {
                    self.lines.push(Line::Two { label, before, after });
                }
            }
        }
    }

    /// Draws which lines of a value are others.
    fn difference(&mut self, old: &[(usize, String)], new: &[(usize, String)]) {
        if old.len().max(new.len()) > MAX_DIFF_LINES {
            let text = format!("({} lines become {}, too many to compare)", old.len(), new.len());
            return self.one(Sign::Change, 1, text);
        }
        let ops = capture_diff_slices(Algorithm::Myers, old, new);
        let mut shown = None;
        for group in &group_diff_ops(ops, CONTEXT_LINES) {
            if let (Some(end), Some(op)) = (shown, group.first()) {
                self.one(Sign::Keep, 1, folded(op.old_range().start - end, "unchanged"));
            }
            shown = group.last().map(|op| op.old_range().end);
            for op in group {
                let (tag, gone, come) = op.as_tag_tuple();
                if tag == DiffTag::Equal {
                    self.repeat(Sign::Keep, &old[gone]);
                } else {
                    self.repeat(Sign::Remove, &old[gone]);
                    self.repeat(Sign::Add, &new[come]);
                }
            }
        }
    }

    fn repeat(&mut self, sign: Sign, lines: &[(usize, String)]) {
        for (depth, text) in lines {
            self.one(sign, depth + 1, text.clone());
        }
    }

    fn shown(&mut self, sign: Sign, depth: usize, label: &str, shown: &Shown) {
        match shown {
            Shown::Value(value) => self.value(sign, depth, label, value),
            Shown::Sensitive { .. } => self.one(sign, depth, format!("{label}: (sensitive value)")),
            other => self.one(sign, depth, format!("{label}: {}", summary(other))),
        }
    }

    fn value(&mut self, sign: Sign, depth: usize, label: &str, value: &Value) {
        let only = value.as_map().filter(|map| map.len() == 1);
        if let Some((name, field)) = only.and_then(|map| map.iter().next()) {
            let below = PathElement::Field(name.clone());
            self.value(sign, depth, &format!("{label}{}", escape(&below.to_string())), field);
        } else if takes_lines(value) {
            self.one(sign, depth, format!("{label}:"));
            self.content(sign, depth + 1, value);
        } else {
            self.one(sign, depth, format!("{label}: {}", scalar(value)));
        }
    }

    fn content(&mut self, sign: Sign, depth: usize, value: &Value) {
        match value {
            Value::Map(map) if !map.is_empty() => {
                map.iter().for_each(|(name, field)| self.named(sign, depth, name, field));
            }
            Value::List(items) if !items.is_empty() => {
                items.iter().for_each(|item| self.item(sign, depth, item));
            }
            Value::String(text) if text.contains('\n') => {
                let lines = || text.split_inclusive('\n');
                lines().take(self.text_lines).for_each(|line| self.one(sign, depth, text_line(line)));
                let more = lines().count().saturating_sub(self.text_lines);
                if more > 0 {
                    self.one(sign, depth, folded(more, "more"));
                }
            }
            value => self.one(sign, depth, scalar(value)),
        }
    }

    fn named(&mut self, sign: Sign, depth: usize, name: &Text, field: &Value) {
        self.value(sign, depth, &label(&[PathElement::Field(name.clone())]), field);
    }

    /// Draws the item of a list: its content, with a dash before the first line. Its name comes first, as people
    /// write it.
    fn item(&mut self, sign: Sign, depth: usize, item: &Value) {
        let at = self.lines.len();
        match item {
            Value::Map(map) if !map.is_empty() => {
                let is_name = |(name, _): &(&Text, &Value)| name.as_str() == "name";
                let fields = map.iter().filter(is_name).chain(map.iter().filter(|field| !is_name(field)));
                fields.for_each(|(name, field)| self.named(sign, depth + 1, name, field));
            }
            item => self.content(sign, depth + 1, item),
        }
        if let Some(Line::One { depth: first, text, .. }) = self.lines.get_mut(at) {
            *first = depth;
            text.insert_str(0, "- ");
        }
    }
}

/// Returns the lines of one side of a comparison, with their depth.
fn drawn(value: &Value) -> Vec<(usize, String)> {
    let mut body = Body { lines: Vec::new(), text_lines: usize::MAX };
    body.content(Sign::Keep, 0, value);
    let lines = body.lines.into_iter().filter_map(|line| match line {
        Line::One { depth, text, .. } => Some((depth, text)),
        Line::Two { .. } => None,
    });
    lines.collect()
}

fn text_lines(text: &str) -> Vec<(usize, String)> {
    text.split_inclusive('\n').map(|line| (0, text_line(line))).collect()
}

/// Stands for lines that are left out.
fn folded(count: usize, what: &str) -> String {
    format!("… {count} {what} line{}", if count == 1 { "" } else { "s" })
}

fn step(field: &FieldChange, at: usize) -> Option<&PathElement> {
    field.path.elements().get(at)
}

/// Tells whether a value is drawn below its label and not beside it.
fn takes_lines(value: &Value) -> bool {
    match value {
        Value::Map(map) => !map.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::String(text) => text.contains('\n'),
        _ => false,
    }
}

/// Behind a bar, so that no line of a value can pass for a line of ours, a command or a fence.
fn text_line(line: &str) -> String {
    match line.strip_suffix('\n') {
        Some(line) => format!("| {}", escape(line)),
        None => format!("| {} (no newline at the end)", escape(line)),
    }
}

/// Returns steps below what is already named. A single name that no path could hold is in quotes, as in YAML.
fn label(steps: &[PathElement]) -> String {
    match steps {
        [name @ PathElement::Field(_)] => {
            let text = name.to_string();
            let bare = text.strip_prefix('.').or_else(|| text.strip_prefix('[')?.strip_suffix(']'));
            escape(bare.unwrap_or(&text)).into_owned()
        }
        steps => path_text(&steps.iter().cloned().collect()),
    }
}

/// Returns a path as it is shown.
pub(crate) fn path_text(path: &FieldPath) -> String {
    escape(&path.to_string()).into_owned()
}

/// Returns what is shown of a value on one line.
pub(crate) fn summary(shown: &Shown) -> String {
    match shown {
        Shown::Absent => "(absent)".into(),
        Shown::Value(value) => scalar(value),
        Shown::Sensitive { changed: false } => "(sensitive value)".into(),
        Shown::Sensitive { changed: true } => "(sensitive value, changed)".into(),
        Shown::Unknown => "(known after apply)".into(),
    }
}

/// Returns the same, where which lines of a text differ is shown elsewhere or not at all.
pub(crate) fn brief(shown: &Shown) -> String {
    match shown {
        Shown::Value(Value::String(text)) if text.contains('\n') => {
            format!("(text of {} lines)", text.lines().count())
        }
        shown => summary(shown),
    }
}

/// Returns a value on one line: a string in quotes, a list or map as JSON.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => escape(&other.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests;
