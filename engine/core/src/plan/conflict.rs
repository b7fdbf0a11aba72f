//! The conflicts of a plan: which fields of other managers it takes, leaves or stops at.

use crate::address::Address;
use crate::field_path::{FieldPath, PathElement};
use crate::object::Operation;
use crate::object_ref::ObjectRef;
use crate::plan::{Plan, Shown};
use crate::ports::Conflict;
use crate::resource::FieldPolicy;
use crate::value::Text;

/// A field that another manager owns and the definition sets differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field.
    pub path: FieldPath,
    /// The other manager.
    pub manager: Text,
    /// The subresource it wrote through.
    pub subresource: Option<Text>,
    /// How it wrote; `None` where the managed fields do not list it.
    pub operation: Option<Operation>,
    /// When it last wrote, in RFC 3339.
    pub time: Option<Text>,
    /// Live.
    pub theirs: Shown,
    /// Desired.
    pub ours: Shown,
    /// What is done about it.
    pub decision: FieldPolicy,
}

/// The conflicts of one object, in order of path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectConflicts {
    /// The resource.
    pub address: Address,
    /// The object.
    pub object_ref: ObjectRef,
    /// Its conflicts.
    pub fields: Vec<FieldConflict>,
}

impl FieldConflict {
    /// Tells whether the other manager's value is another one.
    pub fn differs(&self) -> bool {
        match (&self.theirs, &self.ours) {
            (Shown::Sensitive { changed }, _) | (_, Shown::Sensitive { changed }) => *changed,
            (theirs, ours) => theirs != ours,
        }
    }

    /// Says whose the field is: `vpa, which updated it through scale at 2026-01-02T03:04:05Z`.
    pub fn holder(&self) -> String {
        let mut text = self.manager.to_string();
        match self.operation {
            Some(Operation::Apply) => text.push_str(", which applied it"),
            Some(Operation::Update) => text.push_str(", which updated it"),
            None => {}
        }
        let through = self.subresource.as_ref().map(|name| format!(" through {name}"));
        let time = self.time.as_ref().map(|time| format!(" at {time}"));
        text + through.as_deref().unwrap_or_default() + time.as_deref().unwrap_or_default()
    }

    /// Tells whether this is what a server says is in the way. A sensitive list stands for its items.
    pub fn is(&self, conflict: &Conflict) -> bool {
        let path = as_the_server_prints(&self.path);
        let below = conflict.field.trim_start_matches('.').strip_prefix(path.trim_start_matches('.'));
        let is_list = matches!(self.theirs, Shown::Sensitive { .. });
        self.manager == conflict.manager
            && self.subresource == conflict.subresource
            && below.is_some_and(|below| below.is_empty() || is_list && below.starts_with('['))
    }
}

impl Plan {
    /// Returns the conflicts of an object.
    pub fn conflicts_of(&self, object_ref: &ObjectRef) -> &[FieldConflict] {
        let found = self.conflicts.binary_search_by(|it| it.object_ref.cmp(object_ref));
        found.ok().and_then(|at| self.conflicts.get(at)).map_or(&[], |it| &it.fields)
    }

    /// Returns the fields of an object that are taken from other managers.
    pub fn takes(&self, object_ref: &ObjectRef) -> impl Iterator<Item = &FieldConflict> {
        self.conflicts_of(object_ref).iter().filter(|it| it.decision == FieldPolicy::Take)
    }
}

/// Returns a path as the server names it in print, where it does not quote: the label `app.kubernetes.io/name` is
/// `.metadata.labels.app.kubernetes.io/name`.
pub(super) fn as_the_server_prints(path: &FieldPath) -> String {
    let steps = path.elements().iter().map(|element| match element {
        PathElement::Field(name) => format!(".{name}"),
        other => other.to_string(),
    });
    steps.collect()
}

#[cfg(test)]
mod tests;
