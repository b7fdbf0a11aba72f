//! A store for the life of the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine_core::digest::Digest;
use engine_core::ports::{
    Approval, Compacted, HistoryEntry, Revision, RevisionStore, StateError, StateStore, Stored, Tip, Verified,
};
use engine_core::state::State;
use jiff::Timestamp;

use crate::format::encode;
use crate::step::{Step, check_successor, refused};

/// Keeps the chain in memory: for tests, and for plans of an environment that has no state yet.
///
/// It refuses what [`GitStore`](crate::GitStore) refuses: a moved tip, a serial that is not the next one,
/// another lineage.
#[derive(Debug, Default)]
pub struct MemoryStore {
    chain: Mutex<Vec<(Stored, HistoryEntry)>>,
    approvals: Mutex<BTreeMap<Digest, Approval>>,
}

impl MemoryStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn approvals(&self) -> MutexGuard<'_, BTreeMap<Digest, Approval>> {
        self.approvals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic elsewhere cannot leave half a revision: the chain changes by one push.
    fn chain(&self) -> MutexGuard<'_, Vec<(Stored, HistoryEntry)>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn latest(&self) -> Result<Option<Stored>, StateError> {
        Ok(self.chain().last().map(|(stored, _)| stored.clone()))
    }

    fn append(
        &self,
        expected: Option<&Revision>,
        next: &State,
        summary: &str,
        plan: Option<&Digest>,
    ) -> Result<Revision, StateError> {
        encode(next).map_err(refused)?;
        let mut chain = self.chain();
        let tip = chain.last().map(|(stored, _)| stored);
        if tip.map(|stored| &stored.revision) != expected {
            return Err(StateError::Moved {
                expected: expected.map_or("no state".into(), |revision| revision.0.clone()),
                found: tip.map_or("no state".into(), |stored| stored.revision.0.clone()),
            });
        }
        if let Some(stored) = tip {
            check_successor(&Step::of(&stored.state), &Step::of(next)).map_err(refused)?;
        }
        let revision = Revision(format!("{:08}", chain.len() + 1));
        let entry = HistoryEntry {
            revision: revision.clone(),
            serial: next.serial,
            summary: summary.into(),
            author: "terrane".into(),
            time: Timestamp::now().to_string(),
            plan: plan.copied(),
            restored: None,
        };
        let stored = Stored { revision: revision.clone(), state: next.clone() };
        chain.push((stored, entry));
        Ok(revision)
    }

    fn approve(&self, decision: &Digest) -> Result<Approval, StateError> {
        let approval = || Approval { who: "terrane".into(), time: Timestamp::now().to_string() };
        Ok(self.approvals().entry(*decision).or_insert_with(approval).clone())
    }

    fn approval(&self, decision: &Digest) -> Result<Option<Approval>, StateError> {
        Ok(self.approvals().get(decision).cloned())
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StateError> {
        let chain = self.chain();
        Ok(chain.iter().rev().take(limit).map(|(_, entry)| entry.clone()).collect())
    }
}

impl RevisionStore for MemoryStore {
    fn approvals(&self) -> Result<BTreeMap<Digest, Approval>, StateError> {
        Ok(self.approvals().clone())
    }

    fn unchecked(&self) -> Result<Option<Tip>, StateError> {
        Ok(self.latest()?.map(|Stored { revision, state }| Tip {
            revision,
            serial: state.serial,
            lineage: state.lineage.clone(),
            state: Ok(state),
        }))
    }

    fn find(&self, name: &str) -> Result<Option<Stored>, StateError> {
        let is_named = |stored: &Stored| stored.state.serial.to_string() == name || stored.revision.0 == name;
        let chain = self.chain();
        Ok(chain.iter().rev().map(|(stored, _)| stored).find(|stored| is_named(stored)).cloned())
    }

    fn verify(&self) -> Result<Verified, StateError> {
        Ok(Verified { revisions: self.chain().len(), faults: Vec::new() })
    }

    fn restore(
        &self,
        expected: Option<&Revision>,
        wanted: &Stored,
        summary: &str,
    ) -> Result<Stored, StateError> {
        // What is kept in memory loses nothing: there always is a newest state.
        let tip = self.latest()?.map_or_else(|| wanted.state.clone(), |tip| tip.state);
        let state = wanted.state.restored_after(&tip);
        let revision = self.append(expected, &state, summary, None)?;
        if let Some((_, entry)) = self.chain().last_mut() {
            entry.restored = Some(wanted.revision.clone());
        }
        Ok(Stored { revision, state })
    }

    fn compact(&self, expected: &Stored, _keep: usize) -> Result<Option<Compacted>, StateError> {
        // Nothing would be gained here: the chain only says that it was asked to.
        let Stored { revision, state } = expected;
        let state = State { serial: state.serial + 1, epoch: state.epoch + 1, ..state.clone() };
        let revision = self.append(Some(revision), &state, "compact: nothing to gain", None)?;
        let stored = Stored { revision, state };
        let (revisions, archive) = (self.chain().len(), "the memory of this process".into());
        Ok(Some(Compacted { stored, revisions, archive }))
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;
    use crate::contract;

    #[test]
    fn keeps_the_contract() {
        contract::check(&MemoryStore::new());
    }
}
