//! What a chain of revisions tells: its steps, how two of them differ, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt::Write;

use engine_core::digest::Digest;
use engine_core::plan::{OutputChange, Shown};
use engine_core::ports::{Approval, HistoryEntry, Revision, Verified};
use engine_core::state::{Difference, Holder, Recorded, RecordedField};

use crate::body::scalar;
use crate::escape::escape;

/// Approvals by the decision that they are for.
pub type Approvals = BTreeMap<Digest, Approval>;

/// Returns the steps of a state's history, one a line, in the order given.
pub fn history_text(entries: &[HistoryEntry], approvals: &Approvals) -> String {
    let digits = entries.iter().map(|it| it.serial.to_string().len()).max().unwrap_or(0);
    let mut out = String::new();
    for entry in entries {
        let (revision, time, summary) = (short(&entry.revision), escape(&entry.time), escape(&entry.summary));
        let _ = write!(out, "{:>digits$}  {revision}  {time}  {summary}", entry.serial);
        let _ = write!(out, "  ({}", escape(&entry.author));
        if let Some(plan) = &entry.plan {
            let _ = write!(out, "; plan {}", plan.short());
        }
        if let Some(approval) = entry.plan.as_ref().and_then(|plan| approvals.get(plan)) {
            let _ = write!(out, ", approved by {}", escape(&approval.who));
        }
        if let Some(restored) = &entry.restored {
            let _ = write!(out, "; brings back {}", short(restored));
        }
        out.push_str(")\n");
    }
    out
}

/// Returns the start of a revision's name.
fn short(revision: &Revision) -> String {
    escape(&revision.0.chars().take(12).collect::<String>()).into_owned()
}

/// Returns how two states differ; empty if they do not.
pub fn difference_text(difference: &Difference) -> String {
    let mut out = String::new();
    let mut record = |sign: &str, record: &Recorded, fields: &[RecordedField]| {
        let (address, object) = (record.address.to_string(), record.object_ref.key());
        let cluster = record.object_ref.cluster.as_str();
        let _ = writeln!(out, "{sign} {}  ({} on {})", escape(&address), escape(&object), escape(cluster));
        fields.iter().for_each(|field| out.push_str(&field_line(field)));
    };
    difference.added.iter().for_each(|it| record("+", it, &[]));
    difference.removed.iter().for_each(|it| record("-", it, &[]));
    difference.changed.iter().for_each(|it| record("~", &it.record, &it.fields));
    difference.outputs.iter().for_each(|output| out.push_str(&output_line(output)));
    for (cluster, fields) in &difference.clusters {
        let _ = writeln!(out, "~ cluster {}", escape(cluster.as_str()));
        fields.iter().for_each(|field| out.push_str(&field_line(field)));
    }
    if let Some((before, after)) = &difference.holder {
        let _ = writeln!(out, "~ lock: {} -> {}", holder(before.as_ref()), holder(after.as_ref()));
    }
    if let Some((before, after)) = &difference.intents {
        let _ = writeln!(out, "~ intended writes: {before} -> {after}");
    }
    out
}

fn field_line(field: &RecordedField) -> String {
    let side = |text: &str| if text.is_empty() { "none".into() } else { escape(text).into_owned() };
    match field.before == field.after {
        true => format!("    {}: differs in what is not shown\n", field.name),
        false => format!("    {}: {} -> {}\n", field.name, side(&field.before), side(&field.after)),
    }
}

fn output_line(output: &OutputChange) -> String {
    let side = |shown: &Shown| match shown {
        Shown::Value(value) => scalar(value),
        Shown::Sensitive { .. } => "(sensitive value)".into(),
        Shown::Absent => "none".into(),
        Shown::Unknown => "unknown".into(),
    };
    let (before, after) = (side(&output.before), side(&output.after));
    format!("~ output {}: {before} -> {after}\n", escape(&output.name))
}

fn holder(holder: Option<&Holder>) -> String {
    let words = holder.map(|it| format!("run {} ({} by {})", it.run, it.operation, it.who));
    words.map_or_else(|| "free".into(), |words| escape(&words).into_owned())
}

/// Returns what looking at every revision has found.
pub fn verified_text(verified: &Verified) -> String {
    let mut out = String::new();
    for fault in &verified.faults {
        let serial =
            fault.serial.map_or_else(|| "unknown serial".into(), |serial| format!("serial {serial}"));
        let _ = writeln!(out, "! {serial} ({}): {}", escape(&fault.revision.0), escape(&fault.reason));
    }
    let (revisions, faults) = (verified.revisions, verified.faults.len());
    let _ = match faults {
        0 => writeln!(out, "{revisions} revisions, nothing is wrong with them."),
        _ => writeln!(out, "{revisions} revisions, {faults} faults."),
    };
    out
}

#[cfg(test)]
mod tests;
