//! Whose a field is, and what follows when two want it.

use crate::field_path::{FieldPath, PathElement};
use crate::manifest::Manifest;
use crate::mark::{FieldManager, OwnershipMark, RELEASED};
use crate::object::{ManagerEntry, Object, Operation};
use crate::ports::Conflict;
use crate::resource::Lifecycle;
use crate::value::Value;

/// What is sent in place of what is declared. Its values may be secrets, so it prints only paths.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Exceptions {
    /// Fields left to another manager: not sent.
    pub yielded: Vec<FieldPath>,
    /// Fields sent with their live value.
    pub kept: Vec<(FieldPath, Value)>,
}

impl std::fmt::Debug for Exceptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept: Vec<&FieldPath> = self.kept.iter().map(|(path, _)| path).collect();
        f.debug_struct("Exceptions").field("yielded", &self.yielded).field("kept", &kept).finish()
    }
}

impl Exceptions {
    /// Returns what `ignore_changes` makes of a manifest: on an existing object an ignored field is left to
    /// the manager that owns it, or keeps its live value. Left out of the request it would be deleted.
    pub fn of_lifecycle(lifecycle: &Lifecycle, live: Option<&Object>, manager: &FieldManager) -> Self {
        let mut exceptions = Self::default();
        let Some(live) = live else { return exceptions };
        let managers = live.managers();
        for path in &lifecycle.ignore_changes {
            let foreign =
                |entry: &ManagerEntry| entry.manager != manager.as_str() && entry.fields.touches(path);
            match path.lookup(live.body()) {
                Some(value) if !managers.iter().any(foreign) => {
                    exceptions.kept.push((path.clone(), value.clone()));
                }
                _ => exceptions.yielded.push(path.clone()),
            }
        }
        exceptions
    }

    /// Returns the body to send.
    pub fn body(&self, manifest: &Manifest, mark: &OwnershipMark) -> Value {
        let mut body = manifest.marked(mark);
        for path in &self.yielded {
            path.remove(&mut body);
        }
        for (path, value) in &self.kept {
            path.set(&mut body, value.clone());
        }
        body
    }
}

/// What the field policies make of the conflicts of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Fields to leave to the other manager; the request has to be made again without them.
    pub yielded: Vec<FieldPath>,
    /// Whether the remaining fields may be taken.
    pub force: bool,
    /// Conflicts that stop the plan.
    pub fatal: Vec<Conflict>,
}

/// Judges the conflicts that an apply without force met.
///
/// On an object of ours a foreign Update manager is drift and its field is taken, a foreign Apply manager is
/// a conflict, and the `scale` subresource keeps its replicas. On anything else every conflict stands. A
/// conflict in which force would change nothing is only formal and never stops anything.
pub fn judge(
    conflicts: &[Conflict],
    live: Option<&Object>,
    forced: Option<&Object>,
    ours: bool,
) -> Judgement {
    let mut judgement = Judgement { force: true, ..Judgement::default() };
    let managers = live.map(Object::managers).unwrap_or_default();
    for conflict in conflicts {
        let owned = owned_path(conflict, &managers);
        let formal = match (&owned, live, forced) {
            (Some((_, path)), Some(live), Some(forced)) => {
                path.lookup(live.body()) == path.lookup(forced.body())
            }
            _ => false,
        };
        match owned {
            _ if formal => {}
            Some((entry, path)) if ours && entry.subresource.as_deref() == Some("scale") => {
                judgement.yielded.push(path);
            }
            Some((entry, _)) if ours && entry.operation == Operation::Update => {}
            // What another environment has let go.
            Some((entry, _)) if ours && entry.manager == RELEASED => {}
            _ => judgement.fatal.push(conflict.clone()),
        }
    }
    judgement
}

/// Returns the field that a conflict is about; `None` if no entry of the object holds it.
pub(super) fn conflict_path(conflict: &Conflict, live: &Object) -> Option<FieldPath> {
    owned_path(conflict, &live.managers()).map(|(_, path)| path)
}

/// Finds the entry and the path that a conflict is about. The server names both only in print, and there it
/// does not quote: the label `app.kubernetes.io/name` is `.metadata.labels.app.kubernetes.io/name`.
fn owned_path<'a>(
    conflict: &Conflict,
    managers: &'a [ManagerEntry],
) -> Option<(&'a ManagerEntry, FieldPath)> {
    let field = format!(".{}", conflict.field.trim_start_matches('.'));
    managers
        .iter()
        .filter(|entry| entry.manager == conflict.manager && entry.subresource == conflict.subresource)
        .find_map(|entry| {
            let path = entry.fields.paths().into_iter().find(|path| as_the_server_prints(path) == field)?;
            Some((entry, path))
        })
}

fn as_the_server_prints(path: &FieldPath) -> String {
    let steps = path.elements().iter().map(|element| match element {
        PathElement::Field(name) => format!(".{name}"),
        other => other.to_string(),
    });
    steps.collect()
}

#[cfg(test)]
mod tests;
