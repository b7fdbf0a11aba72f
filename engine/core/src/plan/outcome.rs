//! What became of a plan.

use std::fmt;
use std::str::FromStr;
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

    /// Counts what was done and what was not.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for entry in &self.entries {
            let counts: &mut [&mut usize] = match (&entry.outcome, entry.action) {
                (Outcome::Failed(_) | Outcome::Unknown(_), _) => &mut [&mut tally.failed],
                (Outcome::Skipped { .. } | Outcome::Held(_) | Outcome::Interrupted, _) => {
                    &mut [&mut tally.not_begun]
                }
                (Outcome::Done { .. }, ActionKind::Create) => &mut [&mut tally.created],
                (Outcome::Done { .. }, ActionKind::Replace) => &mut [&mut tally.created, &mut tally.deleted],
                (Outcome::Done { .. }, ActionKind::Delete) => &mut [&mut tally.deleted],
                (
                    Outcome::Done { .. },
                    ActionKind::Update | ActionKind::Adopt | ActionKind::Import | ActionKind::Move,
                ) => &mut [&mut tally.changed],
                (
                    Outcome::Done { .. },
                    ActionKind::Forget | ActionKind::Read | ActionKind::Await | ActionKind::NoOp,
                ) => &mut [],
            };
            counts.iter_mut().for_each(|count| **count += 1);
        }
        tally
    }

    /// Tells whether something was not begun because the run was interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.entries.iter().any(|entry| entry.outcome == Outcome::Interrupted)
    }
}

/// How many objects what was done to. Prints as `2 created, 1 changed, 0 deleted`, and `1 failed`, `3 not begun` if
/// there are such, and reads the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Created, replaced ones included.
    pub created: usize,
    /// Changed in place.
    pub changed: usize,
    /// Deleted, replaced ones included.
    pub deleted: usize,
    /// Failed, or written and not known whether it landed.
    pub failed: usize,
    /// Skipped, held, or not begun before the run was interrupted.
    pub not_begun: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} created, {} changed, {} deleted", self.created, self.changed, self.deleted)?;
        for (count, word) in [(self.failed, FAILED), (self.not_begun, NOT_BEGUN)] {
            if count > 0 {
                write!(f, ", {count} {word}")?;
            }
        }
        Ok(())
    }
}

const FAILED: &str = "failed";
const NOT_BEGUN: &str = "not begun";

/// The text is no tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tally: expected `2 created, 1 changed, 0 deleted`")]
pub struct TallyError;

impl FromStr for Tally {
    type Err = TallyError;

    fn from_str(text: &str) -> Result<Self, TallyError> {
        let mut tally = Self::default();
        for part in text.split(", ") {
            let (count, word) = part.split_once(' ').ok_or(TallyError)?;
            let field = match word {
                "created" => &mut tally.created,
                "changed" => &mut tally.changed,
                "deleted" => &mut tally.deleted,
                FAILED => &mut tally.failed,
                NOT_BEGUN => &mut tally.not_begun,
                _ => return Err(TallyError),
            };
            *field = count.parse().map_err(|_| TallyError)?;
        }
        if tally.to_string() == text { Ok(tally) } else { Err(TallyError) }
    }
}

#[cfg(test)]
mod tests;
