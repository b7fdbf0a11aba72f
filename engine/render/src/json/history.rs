//! A chain of revisions as JSON.

use engine_core::plan::Shown;
use engine_core::ports::{Approval, Compacted, HistoryEntry, Revision, Stored, Verified};
use engine_core::state::{Difference, Holder, Recorded, RecordedField};
use engine_core::value::Value;
use serde::Serialize;

use super::object::{ObjectJson, of_object};
use super::plan::value;
use super::{FORMAT_VERSION, to_json};
use crate::history::Approvals;

#[derive(Serialize)]
struct HistoryJson<'a> {
    format_version: &'static str,
    entries: Vec<EntryJson<'a>>,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    revision: &'a str,
    serial: u64,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    author: &'a str,
    time: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<&'a str>,
}

#[derive(Serialize)]
struct ApprovalJson<'a> {
    who: &'a str,
    time: &'a str,
}

#[derive(Serialize)]
struct CountsJson {
    created: usize,
    changed: usize,
    deleted: usize,
    failed: usize,
    not_begun: usize,
}

/// Returns the steps of a state's history as one JSON object, in the order given.
pub fn history_json(entries: &[HistoryEntry], approvals: &Approvals) -> String {
    let entries = entries.iter().map(|entry| EntryJson {
        revision: &entry.revision.0,
        serial: entry.serial,
        summary: &entry.summary,
        operation: entry.operation(),
        author: &entry.author,
        time: &entry.time,
        plan: entry.plan.map(|plan| plan.to_string()),
        approval: entry.plan.and_then(|plan| approvals.get(&plan)).map(approval),
        counts: entry.tally().map(|tally| CountsJson {
            created: tally.created,
            changed: tally.changed,
            deleted: tally.deleted,
            failed: tally.failed,
            not_begun: tally.not_begun,
        }),
        restored: entry.restored.as_ref().map(|revision| revision.0.as_str()),
    });
    to_json(&HistoryJson { format_version: FORMAT_VERSION, entries: entries.collect() })
}

fn approval(approval: &Approval) -> ApprovalJson<'_> {
    ApprovalJson { who: &approval.who, time: &approval.time }
}

#[derive(Serialize)]
struct RevisionJson<'a> {
    revision: &'a str,
    serial: u64,
}

#[derive(Serialize)]
struct DifferenceJson<'a> {
    format_version: &'static str,
    from: RevisionJson<'a>,
    to: RevisionJson<'a>,
    added: Vec<RecordJson<'a>>,
    removed: Vec<RecordJson<'a>>,
    changed: Vec<RecordJson<'a>>,
    outputs: Vec<OutputJson<'a>>,
    clusters: Vec<ClusterJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Sides<HolderJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intents: Option<Sides<usize>>,
}

#[derive(Serialize)]
struct Sides<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<T>,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    address: String,
    #[serde(flatten)]
    object: ObjectJson<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldJson<'a>>,
}

#[derive(Serialize)]
struct FieldJson<'a> {
    name: &'static str,
    before: &'a str,
    after: &'a str,
}

#[derive(Serialize)]
struct OutputJson<'a> {
    name: &'a str,
    #[serde(flatten)]
    sides: Sides<&'a Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sensitive: bool,
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    cluster: &'a str,
    fields: Vec<FieldJson<'a>>,
}

#[derive(Serialize)]
struct HolderJson<'a> {
    run: &'a str,
    who: &'a str,
    operation: &'a str,
    since: &'a str,
}

/// Returns how two revisions, each with its serial, differ, as one JSON object.
pub fn difference_json(ends: [(&Revision, u64); 2], difference: &Difference) -> String {
    let [from, to] = ends.map(|(revision, serial)| RevisionJson { revision: &revision.0, serial });
    let record = |it| record(it, &[]);
    to_json(&DifferenceJson {
        format_version: FORMAT_VERSION,
        from,
        to,
        added: difference.added.iter().map(record).collect(),
        removed: difference.removed.iter().map(record).collect(),
        changed: difference.changed.iter().map(|it| self::record(&it.record, &it.fields)).collect(),
        outputs: outputs(difference),
        clusters: clusters(difference),
        holder: difference.holder.as_ref().map(|(before, after)| Sides {
            before: before.as_ref().map(holder),
            after: after.as_ref().map(holder),
        }),
        intents: difference.intents.map(|(before, after)| Sides { before: Some(before), after: Some(after) }),
    })
}

fn record<'a>(record: &'a Recorded, fields: &'a [RecordedField]) -> RecordJson<'a> {
    RecordJson {
        address: record.address.to_string(),
        object: of_object(&record.object_ref),
        fields: fields.iter().map(field).collect(),
    }
}

fn field(field: &RecordedField) -> FieldJson<'_> {
    FieldJson { name: field.name, before: &field.before, after: &field.after }
}

fn outputs(difference: &Difference) -> Vec<OutputJson<'_>> {
    let is_sensitive = |shown: &Shown| matches!(shown, Shown::Sensitive { .. });
    let outputs = difference.outputs.iter().map(|output| OutputJson {
        name: &output.name,
        sides: Sides { before: value(&output.before), after: value(&output.after) },
        sensitive: is_sensitive(&output.before) || is_sensitive(&output.after),
    });
    outputs.collect()
}

fn clusters(difference: &Difference) -> Vec<ClusterJson<'_>> {
    let clusters = difference.clusters.iter().map(|(cluster, fields)| ClusterJson {
        cluster: cluster.as_str(),
        fields: fields.iter().map(field).collect(),
    });
    clusters.collect()
}

fn holder(holder: &Holder) -> HolderJson<'_> {
    HolderJson { run: &holder.run, who: &holder.who, operation: &holder.operation, since: &holder.since }
}

#[derive(Serialize)]
struct VerifiedJson<'a> {
    format_version: &'static str,
    revisions: usize,
    faults: Vec<FaultJson<'a>>,
}

#[derive(Serialize)]
struct FaultJson<'a> {
    revision: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<u64>,
    reason: &'a str,
}

/// Returns what looking at every revision has found, as one JSON object.
pub fn verified_json(verified: &Verified) -> String {
    let faults = verified.faults.iter().map(|fault| FaultJson {
        revision: &fault.revision.0,
        serial: fault.serial,
        reason: &fault.reason,
    });
    let revisions = verified.revisions;
    to_json(&VerifiedJson { format_version: FORMAT_VERSION, revisions, faults: faults.collect() })
}

#[derive(Serialize)]
struct StoredJson<'a> {
    format_version: &'static str,
    environment: &'a str,
    lineage: &'a str,
    revision: &'a str,
    serial: u64,
    objects: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    revisions: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<&'a str>,
}

/// Returns which revision is the newest now, as one JSON object.
pub fn stored_json(stored: &Stored) -> String {
    to_json(&stored_as_json(stored))
}

fn stored_as_json(stored: &Stored) -> StoredJson<'_> {
    StoredJson {
        format_version: FORMAT_VERSION,
        environment: stored.state.environment.as_str(),
        lineage: stored.state.lineage.as_str(),
        revision: &stored.revision.0,
        serial: stored.state.serial,
        objects: stored.state.records.len(),
        revisions: None,
        archive: None,
    }
}

/// Returns what a compacted chain is, as one JSON object.
pub fn compacted_json(compacted: &Compacted) -> String {
    let (revisions, archive) = (Some(compacted.revisions), Some(compacted.archive.as_str()));
    to_json(&StoredJson { revisions, archive, ..stored_as_json(&compacted.stored) })
}

/// Returns a value as one line of JSON that is safe on a terminal.
pub fn value_json(value: &Value) -> String {
    to_json(value)
}
