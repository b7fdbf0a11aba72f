//! A resource: what one address declares.

use std::time::Duration;

use crate::address::Address;
use crate::diagnostic::SourceSpan;
use crate::field_path::FieldPath;
use crate::manifest::Manifest;
use crate::object_ref::{ApiVersion, ObjectRef};

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
    /// Resources, or fields of theirs, that replace the object when they change.
    pub replace_triggered_by: Vec<(Address, FieldPath)>,
    /// Block instances whose preconditions are known only during apply, and must hold before the object is written.
    pub preconditions: Vec<Address>,
    /// Whether conditions on the live object must hold after an apply.
    pub postcondition: bool,
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
