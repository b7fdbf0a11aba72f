//! What Terrane remembers of an environment between runs. No manifests, no secrets.

mod difference;
mod restored;

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::cluster::ClusterRecord;
use crate::digest::Fingerprint;
use crate::graph::Dependencies;
use crate::lock::Renewal;
use crate::mark::{EnvironmentName, Lineage};
use crate::object_ref::{ApiVersion, ClusterRef, ObjectRef, Uid};
use crate::plan::ActionKind;
use crate::value::{Text, Value};

pub use difference::{Difference, RecordChange, Recorded, RecordedField};

/// The state of one environment at one serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The environment.
    pub environment: EnvironmentName,
    /// Identity through all serials.
    pub lineage: Lineage,
    /// Raised by one with every commit.
    pub serial: u64,
    /// Raised by one with every acquired lock.
    pub epoch: u64,
    /// Who may write, while an apply runs.
    pub holder: Option<Holder>,
    /// Clusters that records lie on.
    pub clusters: BTreeMap<ClusterRef, ClusterRecord>,
    /// What has been created, by object.
    pub records: BTreeMap<ObjectRef, ResourceRecord>,
    /// What an unfinished apply set out to do. Between applies: what may have landed, what was written and not seen
    /// current, and what was waiting for its wave when a soak was interrupted.
    pub intents: Vec<Intent>,
    /// Outputs of the last apply.
    pub outputs: BTreeMap<Text, Output>,
}

/// The run that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Identifies the run; random.
    pub run: Text,
    /// Who runs it: `user@host`.
    pub who: Text,
    /// What it does: `apply`, `destroy`.
    pub operation: Text,
    /// Since when, in RFC 3339. For people only: no decision rests on it.
    pub since: Text,
    /// How often it shows that it is alive.
    pub renewal: Renewal,
}

/// One recorded object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRecord {
    /// The resource that declared it.
    pub address: Address,
    /// The version it was applied in.
    pub api_version: ApiVersion,
    /// The server's uid.
    pub uid: Uid,
    /// What it depends on.
    pub dependencies: Dependencies,
    /// Refuse to delete it.
    pub prevent_destroy: bool,
    /// Digest of the manifest as applied.
    pub desired: Fingerprint,
    /// Digest of our field set and the live values at its paths, from the apply's response. `None` when the
    /// response had no entry of ours.
    pub settled: Option<Fingerprint>,
    /// 32-bit hashes of our leaf paths, sorted, so that a cleared managedFields can be repaired.
    pub fields: Vec<u32>,
}

/// One planned write, recorded before the first write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The object.
    pub object_ref: ObjectRef,
    /// The resource.
    pub address: Address,
    /// What will be done.
    pub action: ActionKind,
    /// The version to write in.
    pub api_version: ApiVersion,
    /// What it depends on: should the run die before it records the object, this tells when to delete it.
    pub dependencies: Dependencies,
}

/// What became of one object during a run, for the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It exists as applied.
    Applied(ObjectRef, Box<ResourceRecord>),
    /// It is gone, or no longer ours.
    Removed(ObjectRef),
}

impl Deed {
    /// Returns the object.
    pub fn object_ref(&self) -> &ObjectRef {
        match self {
            Self::Applied(object_ref, _) | Self::Removed(object_ref) => object_ref,
        }
    }
}

/// What a run that died left behind on its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// The state that it changed.
    pub lineage: Lineage,
    /// The run.
    pub run: Text,
    /// The dead runs whose lock it meant to take: one of them still has it if this one died before its own first
    /// revision landed.
    pub displaced: Vec<Text>,
    /// What it did, and what the one before had left, in order.
    pub deeds: Vec<Deed>,
}

impl LeftBehind {
    /// Returns the dead runs whose lock a run takes that goes on from here.
    pub fn runs(&self) -> Vec<Text> {
        std::iter::once(&self.run).chain(&self.displaced).cloned().collect()
    }

    /// Puts into a state what the dead run did, if that run is still its holder, and takes the holder out; tells
    /// whether it was. A state that has gone on since knows better.
    pub fn settle(&self, state: &mut State) -> bool {
        let is_ours =
            |run: &Text| self.lineage == state.lineage && (*run == self.run || self.displaced.contains(run));
        if !state.holder.as_ref().is_some_and(|holder| is_ours(&holder.run)) {
            return false;
        }
        state.holder = None;
        self.deeds.iter().for_each(|deed| state.record(deed.clone()));
        true
    }
}

/// An output's value at the last apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A value that may be shown.
    Value(Value),
    /// A sensitive value, not kept.
    Sensitive,
}

impl State {
    /// Returns the state of an environment in which nothing has been applied.
    pub fn empty(environment: EnvironmentName, lineage: Lineage) -> Self {
        Self {
            environment,
            lineage,
            serial: 0,
            epoch: 0,
            holder: None,
            clusters: BTreeMap::new(),
            records: BTreeMap::new(),
            intents: Vec::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// Records what became of an object.
    pub fn record(&mut self, deed: Deed) {
        match deed {
            Deed::Applied(object_ref, record) => drop(self.records.insert(object_ref, *record)),
            Deed::Removed(object_ref) => drop(self.records.remove(&object_ref)),
        }
    }
}

/// Why nothing was moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// Nothing is recorded at or below the address.
    #[error("the state has no {0}")]
    Nothing(Address),
    /// Another object is recorded where one would go.
    #[error("the state has {0} already")]
    Occupied(Address),
}

impl State {
    /// Records what is at or below one address under another, as a `moved` block does it, and returns the addresses
    /// that moved with where they are now, sorted. What depends on them does so at the new place.
    ///
    /// # Errors
    /// Nothing is there to be moved, or something is where it would go. The state is as it was.
    pub fn relocate(&mut self, from: &Address, to: &Address) -> Result<Vec<(Address, Address)>, MoveError> {
        let moved = |address: &Address| address.relocated(from, to).filter(|new| new != address);
        let pairs = self.records.values().filter_map(|it| Some((it.address.clone(), moved(&it.address)?)));
        let mut pairs: Vec<(Address, Address)> = pairs.collect();
        pairs.sort();
        if pairs.is_empty() {
            return Err(MoveError::Nothing(from.clone()));
        }
        let goals: BTreeSet<&Address> = pairs.iter().map(|(_, to)| to).collect();
        let stays = |record: &&ResourceRecord| moved(&record.address).is_none();
        let occupied = self.records.values().filter(stays).find(|record| goals.contains(&record.address));
        if let Some(record) = occupied {
            return Err(MoveError::Occupied(record.address.clone()));
        }
        for record in self.records.values_mut() {
            // The mark has the old address until the server is asked, and the object applied again.
            if moved(&record.address).is_some() {
                record.settled = None;
            }
            let blocks = record.dependencies.blocks.iter_mut();
            for address in blocks.chain([&mut record.address]) {
                if let Some(new) = moved(address) {
                    *address = new;
                }
            }
        }
        Ok(pairs)
    }
}

/// Returns the 32-bit hash by which a record remembers a path (FNV-1a over its printed form).
pub fn path_hash(path: &crate::field_path::FieldPath) -> u32 {
    path.to_string()
        .bytes()
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
