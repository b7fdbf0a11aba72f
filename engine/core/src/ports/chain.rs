//! What a store tells of its chain of revisions, and how a chain is mended.

use std::collections::BTreeMap;

use super::{Approval, Revision, StateError, StateStore, Stored};
use crate::digest::Digest;
use crate::mark::Lineage;
use crate::plan::outcome::Tally;
use crate::state::State;

/// One step of the state's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The revision.
    pub revision: Revision,
    /// The serial.
    pub serial: u64,
    /// What was done, in one line.
    pub summary: String,
    /// By whom.
    pub author: String,
    /// When, in RFC 3339.
    pub time: String,
    /// The decision digest of the plan that it carries out.
    pub plan: Option<Digest>,
    /// The revision whose content it brings back.
    pub restored: Option<Revision>,
}

impl HistoryEntry {
    /// Returns what was run, `None` if the summary does not begin with it.
    pub fn operation(&self) -> Option<&str> {
        self.summary.split_once(": ").map(|(operation, _)| operation)
    }

    /// Returns what a run has done, `None` if it has not ended or was no run.
    pub fn tally(&self) -> Option<Tally> {
        self.summary.split_once(": ")?.1.parse().ok()
    }
}

/// What is wrong with a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionFault {
    /// The revision.
    pub revision: Revision,
    /// Its serial, if it tells it.
    pub serial: Option<u64>,
    /// The fault.
    pub reason: String,
}

/// What looking at every revision has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many revisions there are.
    pub revisions: usize,
    /// What is wrong with them, newest first.
    pub faults: Vec<RevisionFault>,
}

/// The newest revision as the store has it, whatever was seen before and whether it can be read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The revision.
    pub revision: Revision,
    /// Its serial.
    pub serial: u64,
    /// Its lineage.
    pub lineage: Lineage,
    /// The state, or why it cannot be read.
    pub state: Result<State, StateError>,
}

/// What a compacted chain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The newest revision, and its state.
    pub stored: Stored,
    /// How many revisions the chain has now.
    pub revisions: usize,
    /// Where the chain that it continues is kept.
    pub archive: String,
}

/// A store whose chain can be looked into and mended: what people need, and no run.
pub trait RevisionStore: StateStore {
    /// Returns all approvals.
    ///
    /// # Errors
    /// The store cannot be read.
    fn approvals(&self) -> Result<BTreeMap<Digest, Approval>, StateError>;

    /// Returns the newest revision without comparing it with what was seen before; `None` when there is none.
    ///
    /// # Errors
    /// The store cannot be read, or what it has does not even say what it is.
    fn unchecked(&self) -> Result<Option<Tip>, StateError>;

    /// Returns a revision by its serial in the chain, or by its first characters: also one that the chain has lost.
    /// `None` when there is none of that name, or more than one.
    ///
    /// # Errors
    /// The store cannot be read, or the revision is no state of this environment.
    fn find(&self, name: &str) -> Result<Option<Stored>, StateError>;

    /// Looks at every revision.
    ///
    /// # Errors
    /// The store cannot be read. What is wrong with revisions is no error here.
    fn verify(&self) -> Result<Verified, StateError>;

    /// Brings back a revision if the tip still is `expected`, and returns what is the newest state then.
    ///
    /// A chain that is gone begins again at the revision, one that was rewound goes forward to it. Otherwise its
    /// content follows the tip as a new revision: see [`State::restored_after`]. The tip itself is not written again:
    /// it is taken for what was seen, whatever was seen before.
    ///
    /// # Errors
    /// As [`StateStore::advance`], or the chain has another lineage now.
    fn restore(
        &self,
        expected: Option<&Revision>,
        wanted: &Stored,
        summary: &str,
    ) -> Result<Stored, StateError>;

    /// Begins the chain anew with its newest revisions, `keep` of them and one that says so, if the tip still is
    /// `expected`. What was before stays where the result says, and stays part of the chain for all that reads it.
    /// `None` when there are no others: nothing was done then.
    ///
    /// # Errors
    /// As [`StateStore::advance`], or the store refuses to keep the old chain.
    fn compact(&self, expected: &Stored, keep: usize) -> Result<Option<Compacted>, StateError>;
}
