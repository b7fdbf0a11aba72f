//! The symbols and sentences of actions.

use engine_core::plan::{ActionKind, Change, Reason};
use engine_core::rollout::Gate;
use jiff::fmt::friendly::SpanPrinter;

use crate::escape::escape;
use crate::style::Role;

/// Returns an action's symbol and colour.
pub(crate) fn look(kind: ActionKind) -> (&'static str, Role) {
    match kind {
        ActionKind::Create => ("+", Role::Add),
        ActionKind::Update | ActionKind::Adopt | ActionKind::Import => ("~", Role::Change),
        ActionKind::Replace => ("-/+", Role::Remove),
        ActionKind::Delete => ("-", Role::Remove),
        ActionKind::Move => ("->", Role::Read),
        ActionKind::Forget => (".", Role::Quiet),
        ActionKind::Read => ("<=", Role::Read),
        ActionKind::Await => ("=", Role::Read),
        ActionKind::NoOp => ("=", Role::Quiet),
    }
}

/// Returns what happens to an object, to be read behind its name.
pub(crate) fn sentence(change: &Change) -> &'static str {
    match (change.action.kind(), change.reason) {
        (ActionKind::Create, Reason::Missing) => "is gone and will be created again",
        (ActionKind::Create, Reason::Replaced) => "was replaced by another and will be created",
        (ActionKind::Create, _) => "will be created",
        (ActionKind::Update, Reason::Drift) => "will be changed back",
        (ActionKind::Update, Reason::Ownership) => "will be changed: only who owns its fields",
        (ActionKind::Update, _) => "will be changed",
        (ActionKind::Adopt, _) => "is nobody's and will be adopted",
        (ActionKind::Import, _) => "exists and will be imported",
        (ActionKind::Replace, Reason::Immutable) => {
            "will be deleted and created again: a field cannot be changed in place"
        }
        (ActionKind::Replace, Reason::Triggered) => {
            "will be deleted and created again: what replaces it changes"
        }
        (ActionKind::Replace, Reason::Requested) => "will be deleted and created again, as asked for",
        (ActionKind::Replace, _) => "will be deleted and created again",
        (ActionKind::Delete, Reason::Removed) => "will be deleted: it is no longer declared",
        (ActionKind::Delete, _) => "will be deleted",
        (ActionKind::Forget, Reason::Missing) => "is gone and will leave the state",
        (ActionKind::Forget, _) => "will leave the state and stay on the cluster",
        (ActionKind::Move, _) => "will move to another address",
        (ActionKind::Read, _) => "will be read at apply",
        (ActionKind::Await, _) => "stays as it is and will be waited for: no apply has seen it current yet",
        (ActionKind::NoOp, _) => "stays as it is",
    }
}

/// Returns what a gate waits for, one phrase each, in order.
pub(crate) fn gate_words(gate: &Gate) -> Vec<String> {
    let soak =
        gate.soak.map(|soak| format!("after {}", SpanPrinter::new().unsigned_duration_to_string(&soak)));
    let checks = gate.checks.iter().map(|check| format!("{} must hold", escape(&check.to_string())));
    let approval = gate.approval.then(|| "this plan must be approved".to_owned());
    soak.into_iter().chain(checks).chain(approval).collect()
}
