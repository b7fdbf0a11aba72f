//! The plan as text for a terminal.

mod change;
mod words;

use std::collections::BTreeSet;
use std::fmt::Write;

use engine_core::plan::{Action, ActionKind, Change, Plan, Reason, Shown, Tier};
use rayon::prelude::*;

use crate::body::summary;
use crate::diagnostics::diagnostics_text;
use crate::escape::{cut, escape};
use crate::style::{Role, Style};

pub(crate) use change::notes;
pub(crate) use words::{look, sentence};

/// Changes that one thread renders at a time.
const CHUNK: usize = 256;

/// Returns the plan as text: drift, changes in order of apply, outputs, what could not be observed,
/// diagnostics, and the counts. The same plan gives the same text.
pub fn plan_text(plan: &Plan, style: Style) -> String {
    let mut out = String::new();
    drift(&mut out, plan, style);
    changes(&mut out, plan, style);
    outputs(&mut out, plan, style);
    unobserved(&mut out, plan, style);
    if !plan.diagnostics.is_empty() {
        out.push_str(&diagnostics_text(&plan.diagnostics, style));
        out.push('\n');
    }
    tail(&mut out, plan, style);
    out
}

fn heading(out: &mut String, style: Style, text: &str) {
    style.paint(out, Role::Strong, text);
    out.push_str("\n\n");
}

fn drift(out: &mut String, plan: &Plan, style: Style) {
    let mut drifted = plan.changes.iter().filter(|change| change.has_drift()).peekable();
    if drifted.peek().is_none() {
        return;
    }
    heading(out, style, "Changed outside of Terrane:");
    for change in drifted {
        let (role, symbol) = match change.reason {
            Reason::Missing => (Role::Remove, "  - "),
            _ => (Role::Change, "  ~ "),
        };
        style.paint(out, role, symbol);
        style.paint(out, Role::Strong, &escape(&change.object_ref.key()));
        if change.reason == Reason::Missing {
            out.push_str(" is gone");
        }
        out.push('\n');
        for field in &change.fields {
            let Some(drifter) = &field.drift else { continue };
            let path = field.path.to_string();
            let by = match &drifter.time {
                Some(time) => format!("{} at {}", drifter.manager, time),
                None => drifter.manager.to_string(),
            };
            let head = format!("{}: ", escape(&path));
            let tail = format!(", set by {}", escape(&by));
            let room = style.room(6 + head.chars().count() + tail.chars().count());
            let live = summary(&field.before);
            let _ = writeln!(out, "      {head}{}{tail}", cut(&live, room));
        }
    }
    out.push('\n');
}

fn changes(out: &mut String, plan: &Plan, style: Style) {
    let effective: Vec<&Change> = plan.effective().collect();
    if effective.is_empty() {
        return;
    }
    heading(out, style, "Terrane will make these changes, in this order:");
    let clusters: BTreeSet<_> = plan.changes.iter().map(|it| &it.object_ref.cluster).collect();
    let place = match clusters.len() {
        0 | 1 => change::Place::Left,
        _ => change::Place::Named,
    };
    // Most of the time that a first plan takes offline is spent here.
    let texts: Vec<String> =
        effective.par_chunks(CHUNK).map(|chunk| chunk_text(chunk, place, style)).collect();
    texts.iter().for_each(|text| out.push_str(text));
}

fn chunk_text(changes: &[&Change], place: change::Place, style: Style) -> String {
    let mut text = String::new();
    changes.iter().for_each(|it| change::put(&mut text, it, place, style));
    text
}

fn outputs(out: &mut String, plan: &Plan, style: Style) {
    if plan.outputs.is_empty() {
        return;
    }
    heading(out, style, "Outputs:");
    for output in &plan.outputs {
        let (role, symbol) = match (&output.before, &output.after) {
            (Shown::Absent, _) => (Role::Add, "+"),
            (_, Shown::Absent) => (Role::Remove, "-"),
            _ => (Role::Change, "~"),
        };
        let (before, after) = (summary(&output.before), summary(&output.after));
        let text = match symbol {
            "+" => after,
            "-" => before,
            _ if before == after => after,
            _ => format!("{before} -> {after}"),
        };
        let name = escape(&output.name);
        out.push_str("  ");
        style.paint(out, role, symbol);
        let room = style.room(6 + name.chars().count());
        let _ = writeln!(out, " {name}: {}", cut(&text, room));
    }
    out.push('\n');
}

fn unobserved(out: &mut String, plan: &Plan, style: Style) {
    if plan.unobserved.is_empty() {
        return;
    }
    heading(out, style, "Not observed, so this plan is incomplete:");
    for (cluster, kinds) in &plan.unobserved {
        for kind in kinds {
            let _ = writeln!(out, "  cluster {}: {}", escape(cluster.as_str()), escape(kind));
        }
    }
    out.push('\n');
}

fn tail(out: &mut String, plan: &Plan, style: Style) {
    if plan.has_changes() {
        style.paint(out, Role::Strong, &counts_line(plan));
    } else if plan.diagnostics.has_errors() {
        style.paint(out, Role::Strong, "No changes could be planned.");
    } else if plan.unobserved.is_empty() {
        let text = "No changes. The environment matches its definition.";
        style.paint(out, Role::Strong, text);
    } else {
        style.paint(out, Role::Strong, "No changes in what could be observed.");
    }
    out.push('\n');
    let guessed =
        plan.effective().filter(|it| it.tier == Tier::Client && it.action == Action::Create).count();
    if guessed > 0 {
        let _ = writeln!(
            out,
            "Predicted without the server, which lacks what they need: {guessed} of the creations."
        );
    }
    if plan.diagnostics.has_errors() {
        out.push_str("This plan has errors and cannot be applied.\n");
    } else {
        let _ = writeln!(out, "Decision: {}", plan.decision_digest());
    }
}

/// Returns `Plan: 3 to create, 1 to change, 0 to delete.`, with what else happens behind it.
fn counts_line(plan: &Plan) -> String {
    let counts = plan.counts();
    let mut line = format!(
        "Plan: {} to create, {} to change, {} to delete",
        counts.create, counts.update, counts.delete
    );
    for (kind, words) in [(ActionKind::Forget, "to forget"), (ActionKind::Read, "to read")] {
        let count = plan.changes.iter().filter(|it| it.action.kind() == kind).count();
        if count > 0 {
            let _ = write!(line, ", {count} {words}");
        }
    }
    if counts.unchanged > 0 {
        let _ = write!(line, "; {} unchanged", counts.unchanged);
    }
    line.push('.');
    line
}

#[cfg(test)]
mod tests;
