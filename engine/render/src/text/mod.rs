//! The plan as text for a terminal.

mod change;
mod words;

use std::collections::BTreeSet;
use std::fmt::Write;

use engine_core::field_path::FieldPath;
use engine_core::object_ref::ClusterRef;
use engine_core::plan::{Action, ActionKind, Change, FieldChange, Plan, Reason, Shown, Tier};
use engine_core::value::Value;
use rayon::prelude::*;

use crate::body::{self, summary};
use crate::diagnostics::diagnostics_text;
use crate::escape::{escape, fold};
use crate::naming::Naming;
use crate::style::{Role, Style};

pub(crate) use change::notes;
pub(crate) use words::{gate_words, look, sentence};

/// Changes that one thread renders at a time.
const CHUNK: usize = 256;

/// Returns the plan as text: drift, changes in order of apply, outputs, what could not be observed, warnings, errors,
/// and the counts. The same plan gives the same text.
pub fn plan_text(plan: &Plan, style: Style) -> String {
    let mut out = String::new();
    let naming = Naming::of(plan.changes.iter().map(|it| &it.object_ref.cluster));
    drift(&mut out, plan, naming, style);
    changes(&mut out, plan, naming, style);
    outputs(&mut out, plan, style);
    gates(&mut out, plan, style);
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

fn drift(out: &mut String, plan: &Plan, naming: Naming, style: Style) {
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
        style.paint(out, Role::Strong, &naming.name(&change.object_ref));
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
            let live = match &field.before {
                // Which lines differ stands with the change.
                Shown::Value(Value::String(text)) if text.contains('\n') => {
                    format!("(text of {} lines)", text.lines().count())
                }
                live => summary(live),
            };
            let _ = writeln!(out, "      {head}{}{tail}", fold(&live, room));
        }
    }
    out.push('\n');
}

/// Where the order of apply leads through one cluster after the other, each gets a heading; where it goes back and forth,
/// each name has its cluster.
fn changes(out: &mut String, plan: &Plan, naming: Naming, style: Style) {
    let effective: Vec<&Change> = plan.effective().collect();
    if effective.is_empty() {
        return;
    }
    heading(
        out,
        style,
        match plan.refresh_only {
            true => "Terrane will change its state, and nothing on the clusters:",
            false => "Terrane will make these changes, in this order:",
        },
    );
    let clusters: BTreeSet<_> = effective.iter().map(|it| cluster(it)).collect();
    let visits = || effective.chunk_by(|a, b| cluster(a) == cluster(b));
    if naming == Naming::Plain || visits().count() > clusters.len() {
        return put_all(out, &effective, naming, style);
    }
    for changes in visits() {
        heading(out, style, &format!("On cluster {}:", escape(cluster(changes[0]).as_str())));
        put_all(out, changes, Naming::Plain, style);
    }
}

fn cluster(change: &Change) -> &ClusterRef {
    &change.object_ref.cluster
}

fn put_all(out: &mut String, changes: &[&Change], naming: Naming, style: Style) {
    let chunk_text = |changes: &[&Change]| {
        let mut text = String::new();
        changes.iter().for_each(|it| change::put(&mut text, it, naming, style));
        text
    };
    // Most of the time that a first plan takes offline is spent here.
    let texts: Vec<String> = changes.par_chunks(CHUNK).map(chunk_text).collect();
    texts.iter().for_each(|text| out.push_str(text));
}

fn outputs(out: &mut String, plan: &Plan, style: Style) {
    if plan.outputs.is_empty() {
        return;
    }
    heading(out, style, "Outputs:");
    for output in &plan.outputs {
        let (before, after) = (output.before.clone(), output.after.clone());
        let field =
            FieldChange { path: FieldPath::fields([output.name.clone()]), before, after, drift: None };
        body::lines([&field]).iter().for_each(|line| change::put_line(out, line, 2, style));
    }
    out.push('\n');
}

fn gates(out: &mut String, plan: &Plan, style: Style) {
    let mut closed = plan.gates.iter().filter(|gate| !gate.is_open()).peekable();
    if closed.peek().is_none() {
        return;
    }
    heading(out, style, "What waves of clusters wait for, beside the wave before:");
    for gate in closed {
        let (wave, rollout) = (escape(&gate.wave), escape(&gate.rollout));
        let _ = writeln!(out, "  wave {wave} of rollout {rollout}: {}", gate_words(gate).join(", then "));
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
    } else if plan.refresh_only {
        style.paint(out, Role::Strong, "No changes. The state has no record of an object that is gone.");
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
