//! What became of a plan.

use std::fmt::Write;
use std::time::Duration;

use engine_core::plan::ActionKind;
use engine_core::plan::outcome::{Outcome, Report, ReportEntry};

use crate::escape::{escape, escape_line};
use crate::style::{Role, Style};
use crate::text::look;

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

/// Returns one line on one finished change, with its end of line: what a run prints as it goes.
pub fn report_line(entry: &ReportEntry, style: Style) -> String {
    let (symbol, role) = match entry.outcome {
        Outcome::Done { .. } => look(entry.action),
        Outcome::Failed(_) | Outcome::Unknown(_) => ("!", Role::Remove),
        Outcome::Skipped { .. } | Outcome::Interrupted => (".", Role::Quiet),
    };
    let mut out = format!("{:>width$}", "", width = 3usize.saturating_sub(symbol.len()));
    style.paint(&mut out, role, symbol);
    out.push(' ');
    style.paint(&mut out, Role::Strong, &escape(&entry.object_ref.key()));
    let text = match &entry.outcome {
        Outcome::Done { took } => format!(" {} after {}", participle(entry.action), duration(*took)),
        Outcome::Failed(cause) => format!(" failed: {}", lines(cause)),
        Outcome::Skipped { because } => format!(" skipped: depends on {}", escape(&because.to_string())),
        Outcome::Unknown(what) => format!(" may or may not be {}: {}", participle(entry.action), lines(what)),
        Outcome::Interrupted => " not begun: the run was interrupted".into(),
    };
    out.push_str(&text);
    out.push('\n');
    out
}

/// Returns what became of a plan: everything that is not done, with its cause and address, and the counts.
pub fn report_text(report: &Report, operation: Operation, style: Style) -> String {
    let mut out = String::new();
    let undone = |entry: &&ReportEntry| !matches!(entry.outcome, Outcome::Done { .. });
    for entry in report.entries.iter().filter(undone) {
        out.push_str(&report_line(entry, style));
        let address = entry.address.to_string();
        let _ = writeln!(out, "      at {}", escape(&address));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    style.paint(&mut out, Role::Strong, &tail(report, operation));
    out.push('\n');
    out
}

fn tail(report: &Report, operation: Operation) -> String {
    let count = |test: &dyn Fn(&ReportEntry) -> bool| report.entries.iter().filter(|it| test(it)).count();
    let done = |kinds: &[ActionKind]| {
        count(&|entry| matches!(entry.outcome, Outcome::Done { .. }) && kinds.contains(&entry.action))
    };
    use ActionKind::{Adopt, Create, Delete, Import, Move, Replace, Update};
    let resources = format!(
        "Resources: {} created, {} changed, {} deleted",
        done(&[Create, Replace]),
        done(&[Update, Adopt, Import, Move]),
        done(&[Delete, Replace])
    );
    let name = operation.name();
    if report.is_success() {
        return format!("{name} complete! {resources}.");
    }
    let undone = [
        (count(&|it| matches!(it.outcome, Outcome::Failed(_))), "failed"),
        (count(&|it| matches!(it.outcome, Outcome::Unknown(_))), "unknown"),
        (count(&|it| matches!(it.outcome, Outcome::Skipped { .. })), "skipped"),
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
        ActionKind::NoOp => "left as it is",
    }
}

/// Keeps the lines of a message; those behind the first are indented.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(escape_line).collect();
    lines.join("\n      ")
}

fn duration(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..10 => format!("{}.{}s", seconds, took.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        _ => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests;
