//! The symbols and sentences of actions.

use engine_core::plan::{Action, ActionKind, Change, Reason};

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
        ActionKind::NoOp => ("=", Role::Quiet),
    }
}

/// Returns what happens to an object, to be read behind its name.
pub(crate) fn sentence(change: &Change) -> &'static str {
    match (&change.action, change.reason) {
        (Action::Create, Reason::Missing) => "is gone and will be created again",
        (Action::Create, Reason::Replaced) => "was replaced by another and will be created",
        (Action::Create, _) => "will be created",
        (Action::Update { .. }, Reason::Drift) => "will be changed back",
        (Action::Update { .. }, Reason::Ownership) => "will be changed: only who owns its fields",
        (Action::Update { .. }, _) => "will be changed",
        (Action::Adopt { .. }, _) => "is nobody's and will be adopted",
        (Action::Replace { .. }, Reason::Immutable) => {
            "will be deleted and created again: a field cannot be changed in place"
        }
        (Action::Replace { .. }, _) => "will be deleted and created again",
        (Action::Delete { .. }, Reason::Removed) => "will be deleted: it is no longer declared",
        (Action::Delete { .. }, _) => "will be deleted",
        (Action::Forget, Reason::Missing) => "is gone and will leave the state",
        (Action::Forget, _) => "will leave the state and stay on the cluster",
        (Action::Move { .. }, _) => "will move to another address",
        (Action::Read, _) => "will be read at apply",
        (Action::NoOp, _) => "stays as it is",
    }
}
