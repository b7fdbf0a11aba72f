//! The plan: what an apply would do, and why.

pub mod conflict;
pub mod contents;
pub mod custom_kinds;
mod decide;
mod decision;
pub mod diff;
mod faults;
mod loss;
mod misplaced;
pub mod outcome;
pub mod ownership;
mod redact;
mod refresh;
pub mod schedule;
pub mod selection;
pub mod simulate;
pub mod triage;

#[cfg(test)]
pub(crate) mod fixtures;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::field_path::FieldPath;
use crate::mark::{EnvironmentName, Lineage};
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef, Uid};
use crate::rollout::Gate;
use crate::state::Output;
use crate::value::{Text, Value};

pub use conflict::{FieldConflict, ObjectConflicts};
pub use decide::{AdoptPolicy, PlanInput, plan};
pub use ownership::{Contested, Exceptions, Terms};
pub use redact::redact;

/// What may be shown of a value: secrets are withheld here, so that no renderer can leak one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Nothing there.
    Absent,
    /// A value.
    Value(Value),
    /// A sensitive value, and whether it differs from the other side.
    Sensitive {
        /// Whether the two sides differ.
        changed: bool,
    },
    /// Known only after apply.
    Unknown,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field.
    pub path: FieldPath,
    /// Live.
    pub before: Shown,
    /// Predicted.
    pub after: Shown,
    /// Who moved the live value away, if it was not the definition that changed.
    pub drift: Option<Drifter>,
}

/// Who changed a live field outside of Terrane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drifter {
    /// The field manager.
    pub manager: Text,
    /// When, in RFC 3339.
    pub time: Option<Text>,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// It does not exist and is created.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and created again.
    Replace,
    /// It is deleted.
    Delete,
    /// It exists, is nobody's, and becomes ours.
    Adopt,
    /// It exists and an `import` block names it.
    Import,
    /// Only its address changes.
    Move,
    /// It leaves the state and stays on the cluster.
    Forget,
    /// It is read at apply.
    Read,
    /// It is as declared, and waited for.
    Await,
    /// Nothing.
    NoOp,
}

impl ActionKind {
    /// Returns the word for sentences and file formats: `create`, `no-op`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Import => "import",
            Self::Move => "move",
            Self::Forget => "forget",
            Self::Read => "read",
            Self::Await => "await",
            Self::NoOp => "no-op",
        }
    }

    /// Returns the action of a word.
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [ActionKind; 11] = [
            ActionKind::Create,
            ActionKind::Update,
            ActionKind::Replace,
            ActionKind::Delete,
            ActionKind::Adopt,
            ActionKind::Import,
            ActionKind::Move,
            ActionKind::Forget,
            ActionKind::Read,
            ActionKind::Await,
            ActionKind::NoOp,
        ];
        ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What apply does with an object, with all that it needs to do exactly that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Apply without force; only a 201 counts.
    Create,
    /// Apply to the object with this uid. Of other managers it takes the fields that the plan's conflicts say.
    Update {
        /// The object must still be this one.
        uid: Uid,
        /// What is sent in place of what is declared.
        exceptions: Exceptions,
    },
    /// Become the owner of an object that is nobody's.
    Adopt {
        /// The object must still be this one.
        uid: Uid,
    },
    /// Delete the object with this uid, then create.
    Replace {
        /// The object to delete.
        uid: Uid,
    },
    /// Delete the object with this uid.
    Delete {
        /// The object to delete.
        uid: Uid,
    },
    /// Become the owner of an object that an `import` block names.
    Import {
        /// The object must still be this one.
        uid: Uid,
        /// What is sent in place of what is declared.
        exceptions: Exceptions,
    },
    /// Drop the record of an object that is gone.
    Forget,
    /// Take the mark off an object that the definition lets go, and drop its record.
    Release {
        /// The object to let go.
        uid: Uid,
    },
    /// Only the mark's address changes: applied like an update.
    Move {
        /// The object must still be this one.
        uid: Uid,
        /// What is sent in place of what is declared.
        exceptions: Exceptions,
    },
    /// Read it at apply.
    Read,
    /// Wait for an object that is as declared: a run wrote it, and none has seen it current since.
    Await,
    /// Nothing.
    NoOp,
}

impl Action {
    /// Returns the kind.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Create => ActionKind::Create,
            Self::Update { .. } => ActionKind::Update,
            Self::Adopt { .. } => ActionKind::Adopt,
            Self::Replace { .. } => ActionKind::Replace,
            Self::Delete { .. } => ActionKind::Delete,
            Self::Import { .. } => ActionKind::Import,
            Self::Forget | Self::Release { .. } => ActionKind::Forget,
            Self::Move { .. } => ActionKind::Move,
            Self::Read => ActionKind::Read,
            Self::Await => ActionKind::Await,
            Self::NoOp => ActionKind::NoOp,
        }
    }
}

/// Why an action is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Declared and not there.
    New,
    /// Recorded, but gone from the cluster.
    Missing,
    /// The definition changed.
    Changed,
    /// Only the live object changed.
    Drift,
    /// Recorded, but no longer declared.
    Removed,
    /// The live object has another uid than the record.
    Replaced,
    /// A field cannot be changed in place.
    Immutable,
    /// A resource changes that replaces this one.
    Triggered,
    /// It is asked for: `--replace`.
    Requested,
    /// Only the ownership of fields changes.
    Ownership,
    /// Declared under another address.
    Moved,
    /// It depends on something planned.
    Deferred,
    /// Nothing differs.
    Settled,
}

impl Reason {
    /// Returns the word for file formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Drift => "drift",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Immutable => "immutable",
            Self::Triggered => "triggered",
            Self::Requested => "requested",
            Self::Ownership => "ownership",
            Self::Moved => "moved",
            Self::Deferred => "deferred",
            Self::Settled => "settled",
        }
    }
}

/// How a predicted result was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The record proves that nothing changed.
    Record,
    /// The server answered a dry run.
    Server,
    /// The server could not answer; computed here.
    Client,
}

impl Tier {
    /// Returns the word for file formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// One planned change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The resource.
    pub address: Address,
    /// The object.
    pub object_ref: ObjectRef,
    /// The address of its record, if that is another one.
    pub moved_from: Option<Address>,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What differs, in order of path. For a creation, every field.
    pub fields: Vec<FieldChange>,
    /// For what fields an object is replaced that cannot be changed in place, as the server names them:
    /// `spec.selector`.
    pub immutable: Vec<String>,
    /// Objects of others that are deleted along with it, by kind, as far as they were counted.
    pub takes_along: BTreeMap<GroupKind, usize>,
    /// How this was found out.
    pub tier: Tier,
    /// Workloads whose pods restart because of this change.
    pub restarts: Vec<ObjectRef>,
}

impl Change {
    /// Tells whether the object stays as it is, waited for or not.
    pub fn is_unchanged(&self) -> bool {
        matches!(self.action, Action::NoOp | Action::Await)
    }

    /// Tells whether any field was moved away outside of Terrane.
    pub fn has_drift(&self) -> bool {
        self.reason == Reason::Missing || self.fields.iter().any(|field| field.drift.is_some())
    }
}

/// An output as the definition gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedOutput {
    /// A value that may be shown.
    Value(Value),
    /// A sensitive value.
    Sensitive,
    /// Known only after apply.
    Unknown,
}

impl PlannedOutput {
    /// Returns what a state keeps of the output, `None` while it is unknown.
    pub fn known(self) -> Option<Output> {
        match self {
            Self::Value(value) => Some(Output::Value(value)),
            Self::Sensitive => Some(Output::Sensitive),
            Self::Unknown => None,
        }
    }
}

/// An output that differs from the last apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputChange {
    /// The output's name.
    pub name: Text,
    /// At the last apply.
    pub before: Shown,
    /// After this apply.
    pub after: Shown,
}

/// How many objects each action concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Created, replaced ones included.
    pub create: usize,
    /// Changed in place: updates, adoptions, imports, moves.
    pub update: usize,
    /// Deleted, replaced ones included.
    pub delete: usize,
    /// Unchanged.
    pub unchanged: usize,
}

/// What an apply would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The environment.
    pub environment: EnvironmentName,
    /// The state's lineage.
    pub lineage: Lineage,
    /// The state's serial that the plan rests on; 0 before the first apply.
    pub serial: u64,
    /// One per object, unchanged ones included, in order of apply.
    pub changes: Vec<Change>,
    /// Fields of other managers, by object, in order of object: what is taken, left, or stops the plan.
    pub conflicts: Vec<ObjectConflicts>,
    /// Outputs that change.
    pub outputs: Vec<OutputChange>,
    /// All outputs as they are known now.
    pub new_outputs: BTreeMap<Text, Output>,
    /// Clusters on which kinds could not be observed, with the reason.
    pub unobserved: BTreeMap<ClusterRef, Vec<String>>,
    /// What has to be met between the waves of rollouts.
    pub gates: Vec<Gate>,
    /// Whether only the state is brought up to date: see [`Plan::refresh_only`].
    pub refresh_only: bool,
    /// Conflicts, failed predictions and warnings. A plan with errors cannot be applied.
    pub diagnostics: Diagnostics,
}

impl Plan {
    /// Tells whether applying would do anything.
    pub fn has_changes(&self) -> bool {
        !self.outputs.is_empty() || self.changes.iter().any(|change| change.action != Action::NoOp)
    }

    /// Returns the changes that are more than nothing.
    pub fn effective(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action != Action::NoOp)
    }

    /// Counts the actions.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            match change.action.kind() {
                ActionKind::Create => counts.create += 1,
                ActionKind::Replace => {
                    counts.create += 1;
                    counts.delete += 1;
                }
                ActionKind::Delete => counts.delete += 1,
                ActionKind::Update | ActionKind::Adopt | ActionKind::Import | ActionKind::Move => {
                    counts.update += 1;
                }
                ActionKind::Await | ActionKind::NoOp => counts.unchanged += 1,
                ActionKind::Forget | ActionKind::Read => {}
            }
        }
        counts
    }

    /// Returns what this plan does and says that another one does not: the effect of a merge over what is
    /// pending anyway.
    #[must_use]
    pub fn without(&self, pending: &Self) -> Self {
        let known: BTreeMap<&ObjectRef, &Change> =
            pending.changes.iter().map(|change| (&change.object_ref, change)).collect();
        let mut effect = self.clone();
        effect.changes.retain(|change| known.get(&change.object_ref) != Some(&change));
        effect.conflicts.retain(|conflicts| !pending.conflicts.contains(conflicts));
        effect.outputs.retain(|output| !pending.outputs.contains(output));
        // The place in the file is not compared: a merge may move what it does not cause.
        let finding = |it: &Diagnostic| {
            (it.code, it.severity, it.summary.clone(), it.detail.clone(), it.address.clone())
        };
        let said: BTreeSet<_> = pending.diagnostics.iter().map(finding).collect();
        let own = self.diagnostics.iter().filter(|diagnostic| !said.contains(&finding(diagnostic)));
        effect.diagnostics = own.cloned().collect();
        effect
    }
}
