//! What lies in a Namespace, or is of a kind that a `CustomResourceDefinition` defines, and no record knows.

use std::collections::BTreeMap;

use crate::object_ref::{GroupKind, ObjectRef};
use crate::plan::{Action, Plan, faults};

/// What a deletion would meet that is not of this environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// Objects that others own and that go along, by kind.
    pub owned: BTreeMap<GroupKind, usize>,
    /// Objects that nobody here and no other object owns, as `Kind/name`: while there are any, apply deletes nothing.
    pub foreign: Vec<String>,
}

impl Plan {
    /// Returns the Namespaces and `CustomResourceDefinition`s that are deleted.
    pub fn deleted_containers(&self) -> impl Iterator<Item = &ObjectRef> {
        let deleted = self.changes.iter().filter(|it| matches!(it.action, Action::Delete { .. }));
        deleted.map(|it| &it.object_ref).filter(|it| holds_others(&it.kind))
    }

    /// Says what the deletion of an object would meet.
    pub fn meet_contents(&mut self, object_ref: &ObjectRef, contents: Contents) {
        let Some(change) = self.changes.iter_mut().find(|it| it.object_ref == *object_ref) else { return };
        if !contents.foreign.is_empty() {
            self.diagnostics.push(faults::held(change, &contents.foreign));
            self.diagnostics = std::mem::take(&mut self.diagnostics).sorted();
        }
        change.takes_along = contents.owned;
    }
}

/// Tells whether deleting an object of a kind deletes other objects that nobody named.
///
/// # Source
/// Kubernetes, Namespaces, "deleting a namespace"; Custom Resources, "delete a `CustomResourceDefinition`".
pub fn holds_others(kind: &GroupKind) -> bool {
    kind.is("", "Namespace") || kind.is("apiextensions.k8s.io", "CustomResourceDefinition")
}
