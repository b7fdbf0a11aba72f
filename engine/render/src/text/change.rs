//! One change as text: a head line, its fields, and what else it does.

use std::fmt::Write;

use engine_core::object_ref::ObjectRef;
use engine_core::plan::{Action, Change, Tier};

use super::words::{look, sentence};
use crate::body::{self, Line, Sign, path_text};
use crate::escape::{cut, cut_pair, escape};
use crate::style::{Role, Style};

/// Whether heads name the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// There is only one.
    Left,
    /// There are several.
    Named,
}

/// Columns before the sign of a field.
const INDENT: usize = 6;

pub(super) fn put(out: &mut String, change: &Change, place: Place, style: Style) {
    head(out, change, place, style);
    for line in body::lines(&change.fields) {
        put_line(out, &line, style);
    }
    for note in notes(change) {
        let _ = writeln!(out, "        {note}");
    }
    out.push('\n');
}

fn head(out: &mut String, change: &Change, place: Place, style: Style) {
    let (symbol, role) = look(change.action.kind());
    let _ = write!(out, "{:width$}", "", width = 3usize.saturating_sub(symbol.len()));
    style.paint(out, role, symbol);
    out.push(' ');
    let name = change.object_ref.key();
    style.paint(out, Role::Strong, &escape(&name));
    if place == Place::Named {
        let _ = write!(out, " on {}", escape(change.object_ref.cluster.as_str()));
    }
    let address = change.address.to_string();
    let _ = write!(out, " {}  ({})", sentence(change), escape(&address));
    // Creations are counted once at the end: on an empty cluster the mark would stand on almost every line.
    if change.tier == Tier::Client && change.action != Action::Create {
        style.paint(out, Role::Quiet, "  (predicted without the server)");
    }
    out.push('\n');
}

fn put_line(out: &mut String, line: &Line, style: Style) {
    match line {
        Line::One { sign, depth, text } => put_signed(out, *sign, INDENT + depth * 2, text, style),
        Line::Two { label, before, after } => {
            let used = INDENT + label.chars().count() + before.len() + after.len() + 8;
            if style.width == 0 || used <= style.width {
                let text = format!("{label}: {before} -> {after}");
                put_signed(out, Sign::Change, INDENT, &text, style);
            } else {
                put_signed(out, Sign::Change, INDENT, &format!("{label}:"), style);
                let (before, after) = cut_pair(before, after, style.room(INDENT + 4));
                put_signed(out, Sign::Remove, INDENT + 2, &before, style);
                put_signed(out, Sign::Add, INDENT + 2, &after, style);
            }
        }
    }
}

/// Appends one signed line, cut to the width.
fn put_signed(out: &mut String, sign: Sign, indent: usize, text: &str, style: Style) {
    let (symbol, role) = match sign {
        Sign::Add => ("+", Role::Add),
        Sign::Remove => ("-", Role::Remove),
        Sign::Change => ("~", Role::Change),
        Sign::Keep => (" ", Role::Plain),
    };
    let _ = write!(out, "{:indent$}", "");
    style.paint(out, role, symbol);
    out.push(' ');
    out.push_str(&cut(text, style.room(indent + 2)));
    out.push('\n');
}

/// Returns, escaped, what the fields alone do not say.
pub(crate) fn notes(change: &Change) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(change.moved_from.iter().map(|from| format!("moved from {}", escape(&from.to_string()))));
    match &change.action {
        Action::Update { force, exceptions, .. } | Action::Import { force, exceptions, .. } => {
            if *force {
                notes.push("takes fields that another manager holds".into());
            }
            let yielded = exceptions.yielded.iter().map(path_text);
            notes.extend(yielded.map(|path| format!("leaves {path} to its other manager")));
            let kept = exceptions.kept.iter().map(|(path, _)| path_text(path));
            notes.extend(kept.map(|path| format!("keeps {path} as it is")));
        }
        _ => {}
    }
    let workloads = change.restarts.iter().map(ObjectRef::key);
    notes.extend(workloads.map(|key| format!("restarts the pods of {}", escape(&key))));
    notes
}
