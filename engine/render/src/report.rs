//! What became of a plan.

use std::fmt::Write;

use engine_core::plan::ActionKind;
use engine_core::plan::outcome::{Outcome, Report, ReportEntry};

use crate::escape::{escape, escape_line};
use crate::naming::Naming;
use crate::style::{Role, Style};

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `apply`.
    Apply,
    /// `destroy`.
    Destroy,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Destroy => "Destroy",
        }
    }
}

/// Returns what became of a plan: everything that is not done, with its cause and address, and the counts.
pub fn report_text(report: &Report, operation: Operation, style: Style) -> String {
    let mut out = String::new();
    let naming = Naming::of(report.entries.iter().map(|entry| &entry.object_ref.cluster));
    for entry in &report.entries {
        let Some((symbol, role, what)) = undone(entry) else { continue };
        out.push_str("  ");
        style.paint(&mut out, role, symbol);
        out.push(' ');
        style.paint(&mut out, Role::Strong, &naming.name(&entry.object_ref));
        let address = entry.address.to_string();
        let _ = writeln!(out, " {what}\n      at {}", escape(&address));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    style.paint(&mut out, Role::Strong, &tail(report, operation));
    out.push('\n');
    out
}

/// Returns how to show a change that is not done: its sign, and what became of it.
fn undone(entry: &ReportEntry) -> Option<(&'static str, Role, String)> {
    let failed = |text| Some(("!", Role::Remove, text));
    let not_begun = |text| Some((".", Role::Quiet, text));
    match &entry.outcome {
        Outcome::Done { .. } => None,
        Outcome::Failed(cause) => failed(format!("failed: {}", lines(cause))),
        Outcome::Unknown(what) => {
            failed(format!("may or may not be {}: {}", participle(entry.action), lines(what)))
        }
        Outcome::Skipped { because } => {
            not_begun(format!("skipped: depends on {}", escape(&because.to_string())))
        }
        Outcome::Held(why) => not_begun(format!("held: {}", lines(why))),
        Outcome::Interrupted => not_begun("not begun: the run was interrupted".into()),
    }
}

fn tail(report: &Report, operation: Operation) -> String {
    let count = |test: &dyn Fn(&ReportEntry) -> bool| report.entries.iter().filter(|it| test(it)).count();
    let tally = report.tally();
    let (created, changed, deleted) = (tally.created, tally.changed, tally.deleted);
    let resources = format!("Resources: {created} created, {changed} changed, {deleted} deleted");
    let name = operation.name();
    if report.is_success() {
        return format!("{name} complete! {resources}.");
    }
    let undone = [
        (count(&|it| matches!(it.outcome, Outcome::Failed(_))), "failed"),
        (count(&|it| matches!(it.outcome, Outcome::Unknown(_))), "unknown"),
        (count(&|it| matches!(it.outcome, Outcome::Skipped { .. })), "skipped"),
        (count(&|it| matches!(it.outcome, Outcome::Held(_))), "held"),
        (count(&|it| it.outcome == Outcome::Interrupted), "not begun"),
    ];
    let undone = undone.iter().filter(|(count, _)| *count > 0);
    let undone: Vec<String> = undone.map(|(count, word)| format!("{count} {word}")).collect();
    let state = if report.is_interrupted() { "interrupted" } else { "incomplete" };
    format!("{name} {state}: {}. {resources}.", undone.join(", "))
}

fn participle(action: ActionKind) -> &'static str {
    match action {
        ActionKind::Create => "created",
        ActionKind::Update => "changed",
        ActionKind::Replace => "replaced",
        ActionKind::Delete => "deleted",
        ActionKind::Adopt => "adopted",
        ActionKind::Import => "imported",
        ActionKind::Move => "moved",
        ActionKind::Forget => "forgotten",
        ActionKind::Read => "read",
        ActionKind::Await => "waited for",
        ActionKind::NoOp => "left as it is",
    }
}

/// Keeps the lines of a message; those behind the first are indented.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(escape_line).collect();
    lines.join("\n      ")
}

#[cfg(test)]
mod tests;
