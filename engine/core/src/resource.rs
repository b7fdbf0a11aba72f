//! A resource: what one address declares.

use std::time::Duration;

use crate::address::Address;
use crate::diagnostic::SourceSpan;
use crate::digest::{Digest, Fingerprint, SealKey};
use crate::field_path::FieldPath;
use crate::manifest::Manifest;
use crate::object_ref::{ApiVersion, ObjectRef};
use crate::value::Value;

/// A declared resource: one object, or one read of an object.
#[derive(Clone)]
pub struct Resource {
    /// Its name inside the environment.
    pub address: Address,
    /// What it declares.
    pub body: Body,
    /// Protection and exceptions.
    pub lifecycle: Lifecycle,
    /// Whether to wait for it.
    pub wait: Wait,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Where it is declared.
    pub span: Option<SourceSpan>,
}

/// What a resource declares.
#[derive(Clone)]
pub enum Body {
    /// An object to create and keep.
    Object(Box<Manifest>),
    /// An object that somebody else keeps and this environment reads, at apply because it depends on
    /// something planned.
    Read(Read),
}

/// Which object to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The object.
    pub object_ref: ObjectRef,
    /// The version to read it in; `None` for the preferred one.
    pub api_version: Option<ApiVersion>,
}

impl Resource {
    /// Returns the manifest of an object.
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.body {
            Body::Object(manifest) => Some(manifest),
            Body::Read(_) => None,
        }
    }

    /// Returns the digest of what is desired of an object: its manifest, and what its lifecycle says on whose its
    /// fields are. `None` for a read.
    pub fn fingerprint(&self, key: Option<&SealKey>) -> Option<Fingerprint> {
        Some(self.lifecycle.applied_to(self.manifest()?.fingerprint(key)))
    }

    /// Returns the object that the resource is about.
    pub fn object_ref(&self) -> &ObjectRef {
        match &self.body {
            Body::Object(manifest) => manifest.object_ref(),
            Body::Read(read) => &read.object_ref,
        }
    }
}

/// The `lifecycle` block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifecycle {
    /// Refuse to delete or replace the object. Kept in the record, so that removing the block does not remove
    /// the protection.
    pub prevent_destroy: bool,
    /// Fields that are left as they are on an existing object.
    pub ignore_changes: Vec<FieldPath>,
    /// Who keeps a field that another manager owns; a path stands for all below it.
    pub conflicts: Vec<(FieldPath, FieldPolicy)>,
    /// Resources, or fields of theirs, that replace the object when they change.
    pub replace_triggered_by: Vec<(Address, FieldPath)>,
    /// Block instances whose preconditions are known only during apply, and must hold before the object is written.
    pub preconditions: Vec<Address>,
    /// Whether conditions on the live object must hold after an apply.
    pub postcondition: bool,
}

impl Lifecycle {
    /// Returns the digest of what is desired of an object from the digest of its manifest: who keeps its fields counts
    /// as well.
    #[must_use]
    pub fn applied_to(&self, manifest: Fingerprint) -> Fingerprint {
        if self.ignore_changes.is_empty() && self.conflicts.is_empty() {
            return manifest;
        }
        let text = |path: &FieldPath| Value::string(path.to_string());
        let policies = self.conflicts.iter().map(|(path, policy)| [text(path), policy.as_str().into()]);
        let both = Value::list([
            Value::string(manifest.open.to_string()),
            Value::list(self.ignore_changes.iter().map(text)),
            Value::list(policies.flatten()),
        ]);
        Fingerprint { open: Digest::of_value(&both).print(), ..manifest }
    }

    /// Returns what is said about a field, by the longest path around it. `object` tells positions in lists.
    pub fn policy(&self, path: &FieldPath, object: &Value) -> Option<FieldPolicy> {
        let around = self.conflicts.iter().filter(|(around, _)| around.covers(path, object));
        around.max_by_key(|(around, _)| around.elements().len()).map(|(_, policy)| *policy)
    }
}

/// What becomes of a field that another manager owns and the definition sets differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldPolicy {
    /// It is taken from the other manager.
    Take,
    /// It is left to the other manager.
    Yield,
    /// It stops the plan.
    Fail,
}

impl FieldPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Take, Self::Yield, Self::Fail];

    /// Returns the word for definitions and file formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Yield => "yield",
            Self::Fail => "fail",
        }
    }
}

/// Whether to wait until an object is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// Wait if the kind has a known rule.
    #[default]
    WhenKnown,
    /// Never wait.
    Never,
}

/// How long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a created object is current. Default 10 minutes.
    pub create: Duration,
    /// Until an object that was there before is current. Default 10 minutes.
    pub update: Duration,
    /// Until a deleted object is gone. Default 10 minutes.
    pub delete: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let ten_minutes = Duration::from_secs(600);
        Self { create: ten_minutes, update: ten_minutes, delete: ten_minutes }
    }
}
