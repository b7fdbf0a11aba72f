//! One change as text: a head line, its fields, and what else it does.

use std::fmt::Write;

use engine_core::plan::{Action, Change, FieldConflict, Plan, Tier};

use super::words::{look, sentence};
use crate::body::{self, Line, Sign, path_text};
use crate::conflict::{conflict_notes, is_said};
use crate::escape::{columns, cut_pair, escape, fold};
use crate::naming::{Naming, counted};
use crate::style::{Role, Style};

/// Columns before the sign of a field.
const INDENT: usize = 6;

/// Columns beyond which two values are hard to compare beside each other, whatever there is room for.
const BESIDE: usize = 120;

pub(super) fn put(out: &mut String, (plan, change): (&Plan, &Change), naming: Naming, style: Style) {
    head(out, change, naming, style);
    for line in body::lines(&change.fields) {
        put_line(out, &line, INDENT, style);
    }
    for note in notes(change, plan.conflicts_of(&change.object_ref)) {
        let _ = writeln!(out, "        {}", fold(&note, style.room(8)));
    }
    out.push('\n');
}

fn head(out: &mut String, change: &Change, naming: Naming, style: Style) {
    let (symbol, role) = look(change.action.kind());
    let _ = write!(out, "{:width$}", "", width = 3usize.saturating_sub(symbol.len()));
    style.paint(out, role, symbol);
    out.push(' ');
    let name = naming.name(&change.object_ref);
    style.paint(out, Role::Strong, &name);
    let mut text = String::from(sentence(change));
    // Creations are counted once at the end: on an empty cluster the mark would stand on almost every line.
    let guessed = change.tier == Tier::Client && change.action != Action::Create;
    if guessed {
        text.push_str(" (predicted without the server)");
    }
    let address = change.address.to_string();
    let address = escape(&address);
    let mut used = 4 + columns(&name);
    for piece in [format!(" {text}"), format!("  ({address})")] {
        used += columns(&piece);
        if style.width > 0 && used > style.width {
            let piece = piece.trim_start();
            let _ = write!(out, "\n{:INDENT$}{piece}", "");
            used = INDENT + columns(piece);
        } else {
            out.push_str(&piece);
        }
    }
    out.push('\n');
}

/// Appends a line, its sign behind `indent` columns.
pub(super) fn put_line(out: &mut String, line: &Line, indent: usize, style: Style) {
    match line {
        Line::One { sign, depth, text } => put_signed(out, *sign, indent + depth * 2, text, style),
        Line::Two { label, before, after } => {
            let used = indent + [label, before, after].map(|text| columns(text)).iter().sum::<usize>() + 8;
            if used <= if style.width == 0 { BESIDE } else { style.width.min(BESIDE) } {
                let text = format!("{label}: {before} -> {after}");
                put_signed(out, Sign::Change, indent, &text, style);
            } else {
                put_signed(out, Sign::Change, indent, &format!("{label}:"), style);
                let (before, after) = cut_pair(before, after, style.room(indent + 4));
                put_signed(out, Sign::Remove, indent + 2, &before, style);
                put_signed(out, Sign::Add, indent + 2, &after, style);
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
    out.push_str(&fold(text, style.room(indent + 2)));
    out.push('\n');
}

/// Returns, escaped, what the fields alone do not say.
pub(crate) fn notes(change: &Change, conflicts: &[FieldConflict]) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(change.moved_from.iter().map(|from| format!("moved from {}", escape(&from.to_string()))));
    if !change.immutable.is_empty() {
        notes.push(format!("cannot be changed in place: {}", escape(&change.immutable.join(", "))));
    }
    if !change.takes_along.is_empty() {
        notes.push(format!("takes along what others own: {}", counted(&change.takes_along)));
    }
    match &change.action {
        Action::Update { exceptions, .. } | Action::Import { exceptions, .. } => {
            notes.extend(conflict_notes(&change.fields, conflicts));
            let yielded = exceptions.yielded.iter().filter(|it| !is_said(it, conflicts)).map(path_text);
            notes.extend(yielded.map(|path| format!("leaves {path} to its other manager")));
            let kept = exceptions.kept.iter().map(|(path, _)| path_text(path));
            notes.extend(kept.map(|path| format!("keeps {path} as it is")));
        }
        _ => {}
    }
    notes.extend(change.restarts.iter().map(|workload| match *workload == change.object_ref {
        true => "restarts its pods".into(),
        false => format!("restarts the pods of {}", Naming::Plain.name(workload)),
    }));
    notes
}
