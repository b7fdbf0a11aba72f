//! What Terrane remembers of an environment between runs. No manifests, no secrets.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::cluster::ClusterRecord;
use crate::digest::Fingerprint;
use crate::graph::Dependencies;
use crate::mark::{EnvironmentName, Lineage};
use crate::object_ref::{ApiVersion, ClusterRef, ObjectRef, Uid};
use crate::plan::ActionKind;
use crate::value::{Text, Value};

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
    /// What an unfinished apply set out to do. Empty between applies.
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
}

/// Returns the 32-bit hash by which a record remembers a path (FNV-1a over its printed form).
pub fn path_hash(path: &crate::field_path::FieldPath) -> u32 {
    path.to_string()
        .bytes()
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
