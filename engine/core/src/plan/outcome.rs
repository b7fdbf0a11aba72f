//! What became of a plan.

use std::time::Duration;

use crate::address::Address;
use crate::object_ref::ObjectRef;
use crate::plan::ActionKind;

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and current where that is waited for.
    Done {
        /// How long it took, waits included.
        took: Duration,
    },
    /// Refused, or written and not current in time. Says why.
    Failed(String),
    /// Not begun, because something it depends on is not done.
    Skipped {
        /// What it depends on.
        because: Address,
    },
    /// Not begun, because what must be met before its wave is not; says what.
    Held(String),
    /// The write may have landed; says what is known.
    Unknown(String),
    /// Not begun, because the run was interrupted.
    Interrupted,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportEntry {
    /// The resource.
    pub address: Address,
    /// The object.
    pub object_ref: ObjectRef,
    /// What was to be done.
    pub action: ActionKind,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a plan: one entry per effective change, in order of completion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The entries.
    pub entries: Vec<ReportEntry>,
}

impl Report {
    /// Tells whether everything was done.
    pub fn is_success(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.outcome, Outcome::Done { .. }))
    }

    /// Tells whether something was not begun because the run was interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.entries.iter().any(|entry| entry.outcome == Outcome::Interrupted)
    }
}
