//! The digest of what a plan decides.

use rayon::prelude::*;

use crate::digest::Digest;
use crate::field_path::FieldPath;
use crate::object::Operation;
use crate::object_ref::ObjectRef;
use crate::plan::{Action, Change, Exceptions, FieldConflict, Plan, Shown};
use crate::rollout::Gate;
use crate::value::{Text, Value};

impl Plan {
    /// Returns the digest of what the plan decides: plans that do the same to the same objects, and only they,
    /// have equal digests. Sensitive values take no part, nor do values that stay as they are.
    pub fn decision_digest(&self) -> Digest {
        let effective: Vec<&Change> = self.effective().collect();
        let digests: Vec<Digest> =
            effective.par_iter().map(|it| Digest::of_value(&self.change_value(it))).collect();
        let changes = digests.iter().map(|digest| Value::string(digest.to_string()));
        let outputs = self
            .outputs
            .iter()
            .map(|output| Value::list([Value::String(output.name.clone()), shown_value(&output.after)]));
        let gates = self.gates.iter().map(gate_value);
        let lineage = if self.serial == 0 { Value::Null } else { self.lineage.as_str().into() };
        let environment = self.environment.as_str().into();
        let identity = Value::list([environment, lineage, Value::Number(self.serial.into())]);
        let (changes, outputs, gates) = (Value::list(changes), Value::list(outputs), Value::list(gates));
        Digest::of_value(&Value::list([identity, changes, outputs, gates]))
    }

    /// Returns what one change decides: of what object, and what becomes of it.
    fn change_value(&self, change: &Change) -> Value {
        let fields = change.fields.iter().map(|field| {
            Value::list([
                Value::string(field.path.to_string()),
                shown_value(&field.before),
                shown_value(&field.after),
            ])
        });
        let conflicts = self.conflicts_of(&change.object_ref).iter().map(conflict_value);
        Value::list([
            Value::string(change.address.to_string()),
            object_value(&change.object_ref),
            change.moved_from.as_ref().map_or(Value::Null, |from| Value::string(from.to_string())),
            action_value(&change.action),
            Value::list(fields),
            Value::list(conflicts),
        ])
    }
}

/// Names an object by its parts, each on its own: no two objects are named alike, and no way of printing one matters.
fn object_value(object_ref: &ObjectRef) -> Value {
    let ObjectRef { cluster, kind, namespace, name } = object_ref;
    let namespace = namespace.as_ref().map_or(Value::Null, |it| Value::String(it.clone()));
    let [group, kind, name] = [&kind.group, &kind.kind, name].map(|it| Value::String(it.clone()));
    Value::list([cluster.as_str().into(), group, kind, namespace, name])
}

/// Returns what a gate asks for, and of which wave.
fn gate_value(gate: &Gate) -> Value {
    let clusters = gate.clusters.iter().map(|cluster| cluster.as_str().into());
    let soak = gate.soak.map_or(Value::Null, |soak| Value::string(soak.as_millis().to_string()));
    let checks = gate.checks.iter().map(|check| Value::string(check.to_string()));
    Value::list([
        Value::String(gate.rollout.clone()),
        Value::String(gate.wave.clone()),
        Value::list(clusters),
        soak,
        Value::list(checks),
        Value::Bool(gate.approval),
    ])
}

/// Names whose field it is and what becomes of it. When it was written and which value it has decide nothing more
/// than the fields of the change do.
fn conflict_value(conflict: &FieldConflict) -> Value {
    let text = |text: &Text| Value::String(text.clone());
    let operation = conflict.operation.map(|operation| operation == Operation::Apply);
    Value::list([
        Value::string(conflict.path.to_string()),
        text(&conflict.manager),
        conflict.subresource.as_ref().map_or(Value::Null, text),
        operation.map_or(Value::Null, Value::Bool),
        conflict.decision.as_str().into(),
    ])
}

/// Names the action and all that apply needs to do exactly that.
fn action_value(action: &Action) -> Value {
    let kind = action.kind().as_str().into();
    match action {
        Action::Create | Action::Forget | Action::Read | Action::Await | Action::NoOp => Value::list([kind]),
        Action::Adopt { uid }
        | Action::Replace { uid }
        | Action::Delete { uid }
        | Action::Release { uid } => Value::list([kind, uid.as_str().into()]),
        Action::Update { uid, exceptions }
        | Action::Import { uid, exceptions }
        | Action::Move { uid, exceptions } => {
            Value::list([kind, uid.as_str().into(), exceptions_value(exceptions)])
        }
    }
}

/// Kept values are live ones, sent to leave them alone; they may be secrets, and only their paths are decided.
fn exceptions_value(exceptions: &Exceptions) -> Value {
    let path = |path: &FieldPath| Value::string(path.to_string());
    let kept = exceptions.kept.iter().map(|(field, _)| path(field));
    Value::list([Value::list(exceptions.yielded.iter().map(path)), Value::list(kept)])
}

fn shown_value(shown: &Shown) -> Value {
    match shown {
        Shown::Absent => Value::list([]),
        Shown::Value(value) => Value::list([value.clone()]),
        Shown::Sensitive { changed } => Value::list(["sensitive".into(), Value::Bool(*changed)]),
        Shown::Unknown => Value::list(["unknown".into(), Value::Null]),
    }
}

#[cfg(test)]
mod tests;
