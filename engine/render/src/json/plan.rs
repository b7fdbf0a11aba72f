//! The plan's JSON form.

use std::collections::BTreeMap;

use engine_core::object_ref::{ClusterRef, GroupKind, ObjectRef};
use engine_core::plan::{Action, ActionKind, Change, Drifter, FieldChange, OutputChange, Plan, Shown};
use engine_core::rollout::Gate;
use engine_core::value::Value;
use serde::Serialize;

use super::conflict::{ConflictJson, conflict_list};
use super::object::{ObjectJson, of_object};
use super::{FORMAT_VERSION, to_json};
use crate::diagnostics::{DiagnosticJson, diagnostic_list};

/// Returns the plan as one JSON object: all that the text form shows, for programs and policies.
///
/// A field's `before` or `after` is missing where there is nothing; `sensitive` and `unknown` say that there is
/// a value which is not shown or not known. `change.actions` has Terraform's words.
pub fn plan_json(plan: &Plan) -> String {
    to_json(&of_plan(plan))
}

pub(super) fn of_plan(plan: &Plan) -> PlanJson<'_> {
    let counts = plan.counts();
    PlanJson {
        format_version: FORMAT_VERSION,
        environment: plan.environment.as_str(),
        lineage: plan.lineage.as_str(),
        serial: plan.serial,
        decision_digest: plan.decision_digest().to_string(),
        has_changes: plan.has_changes(),
        errored: plan.diagnostics.has_errors(),
        refresh_only: plan.refresh_only,
        summary: Summary {
            create: counts.create,
            update: counts.update,
            delete: counts.delete,
            unchanged: counts.unchanged,
            forget: count(plan, ActionKind::Forget),
            read: count(plan, ActionKind::Read),
        },
        resource_changes: plan.effective().map(|change| change_json(plan, change)).collect(),
        conflicts: conflict_list(&plan.conflicts),
        gates: plan.gates.iter().filter(|gate| !gate.is_open()).map(gate_json).collect(),
        output_changes: plan.outputs.iter().map(|it| (it.name.as_str(), output_json(it))).collect(),
        unobserved: plan
            .unobserved
            .iter()
            .map(|(cluster, kinds)| (cluster.as_str(), kinds.as_slice()))
            .collect(),
        diagnostics: diagnostic_list(&plan.diagnostics),
    }
}

#[derive(Serialize)]
pub(super) struct PlanJson<'a> {
    format_version: &'static str,
    environment: &'a str,
    lineage: &'a str,
    serial: u64,
    decision_digest: String,
    has_changes: bool,
    errored: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refresh_only: bool,
    summary: Summary,
    resource_changes: Vec<ChangeJson<'a>>,
    conflicts: Vec<ConflictJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gates: Vec<GateJson<'a>>,
    output_changes: BTreeMap<&'a str, Sides<'a>>,
    unobserved: BTreeMap<&'a str, &'a [String]>,
    diagnostics: Vec<DiagnosticJson>,
}

/// What a wave waits for, beside the wave before.
#[derive(Serialize)]
struct GateJson<'a> {
    rollout: &'a str,
    wave: &'a str,
    clusters: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soak_seconds: Option<u64>,
    checks: Vec<String>,
    approval: bool,
}

fn gate_json(gate: &Gate) -> GateJson<'_> {
    GateJson {
        rollout: &gate.rollout,
        wave: &gate.wave,
        clusters: gate.clusters.iter().map(ClusterRef::as_str).collect(),
        soak_seconds: gate.soak.map(|soak| soak.as_secs()),
        checks: gate.checks.iter().map(ToString::to_string).collect(),
        approval: gate.approval,
    }
}

#[derive(Serialize)]
struct Summary {
    create: usize,
    update: usize,
    delete: usize,
    unchanged: usize,
    forget: usize,
    read: usize,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    #[serde(flatten)]
    object: ObjectJson<'a>,
    action: &'static str,
    reason: &'static str,
    tier: &'static str,
    force: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    yielded: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    replace_paths: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    takes_along: Vec<CountJson<'a>>,
    change: Actions,
    fields: Vec<FieldJson<'a>>,
    restarts: Vec<String>,
}

#[derive(Serialize)]
struct CountJson<'a> {
    group: &'a str,
    kind: &'a str,
    count: usize,
}

#[derive(Serialize)]
struct Actions {
    actions: &'static [&'static str],
}

#[derive(Serialize)]
struct FieldJson<'a> {
    path: String,
    #[serde(flatten)]
    sides: Sides<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<DriftJson<'a>>,
}

#[derive(Serialize)]
struct DriftJson<'a> {
    manager: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
}

#[derive(Serialize)]
struct Sides<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Value>,
    sensitive: bool,
    unknown: bool,
}

fn count(plan: &Plan, kind: ActionKind) -> usize {
    plan.changes.iter().filter(|it| it.action.kind() == kind).count()
}

fn change_json<'a>(plan: &Plan, change: &'a Change) -> ChangeJson<'a> {
    let object_ref = &change.object_ref;
    let (force, yielded) = match &change.action {
        Action::Update { exceptions, .. } | Action::Import { exceptions, .. } => {
            (plan.takes(object_ref).next().is_some(), exceptions.yielded.as_slice())
        }
        _ => (false, &[] as &[_]),
    };
    ChangeJson {
        address: change.address.to_string(),
        previous_address: change.moved_from.as_ref().map(ToString::to_string),
        object: of_object(object_ref),
        action: change.action.kind().as_str(),
        reason: change.reason.as_str(),
        tier: change.tier.as_str(),
        force,
        yielded: yielded.iter().map(ToString::to_string).collect(),
        replace_paths: &change.immutable,
        takes_along: change.takes_along.iter().map(count_json).collect(),
        change: Actions { actions: terraform_actions(change.action.kind()) },
        fields: change.fields.iter().map(field_json).collect(),
        restarts: change.restarts.iter().map(ObjectRef::key).collect(),
    }
}

fn count_json<'a>((kind, count): (&'a GroupKind, &usize)) -> CountJson<'a> {
    CountJson { group: &kind.group, kind: &kind.kind, count: *count }
}

/// # Source
/// Terraform documentation, JSON output format, "Change representation".
fn terraform_actions(kind: ActionKind) -> &'static [&'static str] {
    match kind {
        ActionKind::Create => &["create"],
        ActionKind::Update | ActionKind::Adopt | ActionKind::Import => &["update"],
        ActionKind::Replace => &["delete", "create"],
        ActionKind::Delete => &["delete"],
        ActionKind::Forget => &["forget"],
        ActionKind::Read => &["read"],
        ActionKind::Move | ActionKind::Await | ActionKind::NoOp => &["no-op"],
    }
}

fn field_json(field: &FieldChange) -> FieldJson<'_> {
    FieldJson {
        path: field.path.to_string(),
        sides: sides(&field.before, &field.after),
        drift: field.drift.as_ref().map(drift_json),
    }
}

fn drift_json(drifter: &Drifter) -> DriftJson<'_> {
    DriftJson { manager: &drifter.manager, time: drifter.time.as_deref() }
}

fn output_json(output: &OutputChange) -> Sides<'_> {
    sides(&output.before, &output.after)
}

fn sides<'a>(before: &'a Shown, after: &'a Shown) -> Sides<'a> {
    let any = |test: fn(&Shown) -> bool| test(before) || test(after);
    Sides {
        before: value(before),
        after: value(after),
        sensitive: any(|it| matches!(it, Shown::Sensitive { .. })),
        unknown: any(|it| *it == Shown::Unknown),
    }
}

pub(super) fn value(shown: &Shown) -> Option<&Value> {
    match shown {
        Shown::Value(value) => Some(value),
        _ => None,
    }
}
