//! Whose a field is, and what follows when two want it.

use std::collections::BTreeSet;

use crate::digest::{Fingerprint, SealKey};
use crate::field_path::{FieldPath, PathElement};
use crate::fields::FieldSet;
use crate::manifest::Manifest;
use crate::mark::{FieldManager, OwnershipMark, RELEASED};
use crate::object::{ManagerEntry, Object, Operation};
use crate::plan::Shown;
use crate::plan::conflict::{FieldConflict, as_the_server_prints};
use crate::ports::Conflict;
use crate::resource::{FieldPolicy, Lifecycle};
use crate::value::{Text, Value};

/// Under this name the server lists what was written before it listed anything.
///
/// # Source
/// Kubernetes, Server-Side Apply: "Upgrading from client-side apply to server-side apply".
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

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

/// On which terms an object is applied that others may have written to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// What is sent in place of what is declared.
    pub exceptions: Exceptions,
    /// The conflicts met so far.
    pub conflicts: Vec<FieldConflict>,
}

impl Terms {
    /// Takes in the conflicts of one request, and tells whether it has to be made again without what is yielded.
    ///
    /// A field that is not sent and met all the same cannot be left out: it stops the plan.
    pub fn meet(&mut self, mut met: Vec<FieldConflict>) -> bool {
        for conflict in met.iter_mut().filter(|it| self.exceptions.yielded.contains(&it.path)) {
            conflict.decision = FieldPolicy::Fail;
        }
        let yields = |it: &&FieldConflict| it.decision == FieldPolicy::Yield;
        let yielded: BTreeSet<FieldPath> = met.iter().filter(yields).map(|it| it.path.clone()).collect();
        let again = !yielded.is_empty();
        self.exceptions.yielded.extend(yielded);
        // The others are met again.
        self.conflicts.extend(met.into_iter().filter(|it| !again || it.decision == FieldPolicy::Yield));
        self.conflicts.sort_by_cached_key(order);
        again
    }
}

/// One object that others may have written to.
#[derive(Clone, Copy)]
pub struct Contested<'a> {
    /// What is declared.
    pub manifest: &'a Manifest,
    /// What is said about its fields.
    pub lifecycle: &'a Lifecycle,
    /// Our field manager.
    pub manager: &'a FieldManager,
    /// The object as it was read.
    pub live: Option<&'a Object>,
    /// Whether it is ours, or is about to be by an import.
    pub ours: bool,
}

impl Contested<'_> {
    /// Returns what the lifecycle makes of an existing object, before anybody is asked.
    ///
    /// A field of `ignore_changes` is left to the manager that owns it, or keeps its live value: left out of the
    /// request it would be deleted. A field that `conflicts` yields is left to the manager that owns it.
    pub fn terms(&self) -> Terms {
        let mut terms = Terms::default();
        let Some(live) = self.live else { return terms };
        let exceptions = &mut terms.exceptions;
        let managers = self.others(live);
        for path in &self.lifecycle.ignore_changes {
            match path.lookup(live.body()) {
                Some(value) if !managers.iter().any(|entry| entry.fields.touches(path)) => {
                    exceptions.kept.push((path.clone(), value.clone()));
                }
                _ => exceptions.yielded.push(path.clone()),
            }
        }
        let yields = self.ours && self.lifecycle.conflicts.iter().any(|(_, it)| *it == FieldPolicy::Yield);
        let mut owned = Vec::new();
        for entry in managers.iter().filter(|_| yields) {
            for path in entry.fields.leaves().into_iter().filter(|path| !is_key(path)) {
                let declared = path.lookup(self.manifest.body());
                if declared.is_some() && self.policy(&path, live) == Some(FieldPolicy::Yield) {
                    owned.push(self.conflict((&path, Some(entry)), declared, FieldPolicy::Yield));
                }
            }
        }
        owned.extend(self.scaled_to_nothing(live));
        terms.meet(owned);
        terms.conflicts.retain(FieldConflict::differs);
        terms
    }

    /// Returns the digest that a record keeps as `settled`, see [`Object::settled`].
    pub fn settled(&self, key: Option<&SealKey>) -> Option<Fingerprint> {
        let manifest = self.manifest;
        self.live?.settled(self.manager, manifest.api_version(), &self.left(), manifest.sensitive(), key)
    }

    /// Returns the fields that the lifecycle leaves to others, in order. They change with who else owns a field, which
    /// what is ours does not show.
    fn left(&self) -> Vec<FieldPath> {
        let Lifecycle { ignore_changes, conflicts, .. } = self.lifecycle;
        let leaves = !ignore_changes.is_empty() || conflicts.iter().any(|(_, it)| *it == FieldPolicy::Yield);
        // What others own is only read where it counts.
        let mut left = if leaves { self.terms().exceptions.yielded } else { Vec::new() };
        left.sort();
        left
    }

    /// Returns the replicas that somebody has scaled to nothing, unless the lifecycle says otherwise.
    ///
    /// Nobody owns them then: a Scale has no replicas where they are 0, so that who writes it is not listed, and whoever
    /// owned them before is no longer.
    ///
    /// # Source
    /// Kubernetes API, Scale v1: `replicas` is left out if it is 0.
    fn scaled_to_nothing(&self, live: &Object) -> Option<FieldConflict> {
        let path = FieldPath::fields(["spec", "replicas"]);
        let declared = path.lookup(self.manifest.body());
        let is_said = matches!(self.policy(&path, live), Some(FieldPolicy::Take | FieldPolicy::Fail))
            || self.lifecycle.ignore_changes.iter().any(|it| path.starts_with(it));
        let is_nothing = path.lookup(live.body()).and_then(Value::as_i64) == Some(0);
        let managers = live.managers();
        let applied = managers.iter().any(|entry| entry.manager == self.manager.as_str());
        let is_owned = managers.iter().any(|entry| entry.fields.touches(&path));
        if !self.ours || is_said || !is_nothing || !applied || is_owned || declared.is_none() {
            return None;
        }
        let mut found = self.conflict((&path, None), declared, FieldPolicy::Yield);
        (found.manager, found.subresource) = ("unknown".into(), Some("scale".into()));
        found.operation = Some(Operation::Update);
        Some(found)
    }

    /// Judges the conflicts that an apply without force met; `forced` is what comes of it with force.
    ///
    /// What the lifecycle says of a field counts. Otherwise, on an object of ours, a foreign Update manager is
    /// drift and its field is taken, a foreign Apply manager stops the plan, and who writes through a subresource keeps
    /// what it wrote: the replicas, or an annotation of the kind's controller. On anything else every conflict stands. A
    /// conflict in which force would change nothing is only formal and never stops anything.
    pub fn judge(&self, conflicts: &[Conflict], forced: &Object) -> Vec<FieldConflict> {
        let managers = self.live.map(|live| self.others(live)).unwrap_or_default();
        let desired = forced.managers().into_iter().find(|entry| entry.manager == self.manager.as_str());
        let desired = desired.map(|entry| entry.fields).unwrap_or_default();
        let judged = conflicts.iter().map(|conflict| {
            let of_manager = |entry: &&ManagerEntry| {
                entry.manager == conflict.manager && entry.subresource == conflict.subresource
            };
            let mut held = managers.iter().filter(of_manager);
            let held = held.find_map(|entry| Some((Some(entry), path_of(&entry.fields, &conflict.field)?)));
            let (entry, path) = match held.or_else(|| Some((None, path_of(&desired, &conflict.field)?))) {
                Some(found) => found,
                None => (None, as_written(&conflict.field)),
            };
            let decision = self.decide((&path, entry), &conflict.manager, forced);
            let judged = self.conflict((&path, entry), path.lookup(forced.body()), decision);
            FieldConflict {
                manager: conflict.manager.clone(),
                subresource: conflict.subresource.clone(),
                ..judged
            }
        });
        settled(judged.collect())
    }

    /// Judges what an apply would meet that was only computed: `after` is what would come of it by force.
    pub fn foresee(&self, after: &Object) -> Vec<FieldConflict> {
        let Some(live) = self.live else { return Vec::new() };
        let managers = self.others(live);
        let mut found = Vec::new();
        for entry in &managers {
            for path in entry.fields.leaves() {
                let (theirs, ours) = (path.lookup(live.body()), path.lookup(after.body()));
                if ours.is_none() || theirs == ours {
                    continue;
                }
                let decision = self.decide((&path, Some(entry)), &entry.manager, after);
                let conflict = self.conflict((&path, Some(entry)), ours, decision);
                // Once it is known it may be the same.
                if conflict.ours != Shown::Unknown || decision != FieldPolicy::Fail {
                    found.push(conflict);
                }
            }
        }
        settled(found)
    }

    fn others(&self, live: &Object) -> Vec<ManagerEntry> {
        live.managers().into_iter().filter(|entry| entry.manager != self.manager.as_str()).collect()
    }

    fn policy(&self, path: &FieldPath, live: &Object) -> Option<FieldPolicy> {
        self.lifecycle.policy(path, live.body())
    }

    fn decide(
        &self,
        (path, entry): (&FieldPath, Option<&ManagerEntry>),
        manager: &Text,
        forced: &Object,
    ) -> FieldPolicy {
        let Some(live) = self.live else { return FieldPolicy::Fail };
        let formal = entry.is_some() && path.lookup(live.body()) == path.lookup(forced.body());
        match (entry, self.policy(path, live)) {
            (_, Some(FieldPolicy::Yield)) if self.ours => FieldPolicy::Yield,
            _ if formal => FieldPolicy::Take,
            _ if !self.ours => FieldPolicy::Fail,
            (_, Some(policy)) => policy,
            // Who writes through these would write the same again: an autoscaler, the controller of the kind.
            (Some(entry), None) if matches!(entry.subresource.as_deref(), Some("scale" | "status")) => {
                FieldPolicy::Yield
            }
            // An Update is an edit; the other is what another environment has let go.
            (Some(entry), None) if entry.operation == Operation::Update || entry.manager == RELEASED => {
                FieldPolicy::Take
            }
            // Somebody has emptied the managed fields.
            (None, None) if manager == BEFORE_FIRST_APPLY => FieldPolicy::Take,
            _ => FieldPolicy::Fail,
        }
    }

    fn conflict(
        &self,
        (path, entry): (&FieldPath, Option<&ManagerEntry>),
        ours: Option<&Value>,
        decision: FieldPolicy,
    ) -> FieldConflict {
        let theirs = self.live.and_then(|live| path.lookup(live.body()));
        let shown = |value: Option<&Value>| match value {
            None => Shown::Absent,
            Some(_) if self.manifest.sensitive().touches(path) => {
                Shown::Sensitive { changed: theirs != ours }
            }
            Some(value) => Shown::Value(value.clone()),
        };
        let is_hole = self
            .manifest
            .holes()
            .iter()
            .any(|hole| path.starts_with(&hole.path) || hole.path.starts_with(path));
        FieldConflict {
            path: self.without_secrets(path),
            manager: entry.map(|entry| entry.manager.clone()).unwrap_or_default(),
            subresource: entry.and_then(|entry| entry.subresource.clone()),
            operation: entry.map(|entry| entry.operation),
            time: entry.and_then(|entry| entry.time.clone()),
            theirs: shown(theirs),
            ours: if is_hole { Shown::Unknown } else { shown(ours) },
            decision,
        }
    }

    /// A list that is sensitive is named as a whole: what tells its items apart may be secret.
    fn without_secrets(&self, path: &FieldPath) -> FieldPath {
        let mut shown = FieldPath::default();
        for element in path.elements() {
            let is_item = !matches!(element, PathElement::Field(_));
            if is_item && self.manifest.sensitive().covers(&shown) {
                break;
            }
            shown.push(element.clone());
        }
        shown
    }
}

/// Orders conflicts. A field that is yielded to one manager is not sent, and so yielded to all.
fn settled(mut conflicts: Vec<FieldConflict>) -> Vec<FieldConflict> {
    let yielded = conflicts.iter().filter(|it| it.decision == FieldPolicy::Yield);
    let yielded: BTreeSet<FieldPath> = yielded.map(|it| it.path.clone()).collect();
    for conflict in conflicts.iter_mut().filter(|it| yielded.contains(&it.path)) {
        conflict.decision = FieldPolicy::Yield;
    }
    conflicts.sort_by_cached_key(order);
    conflicts.dedup_by_key(|it| order(it));
    conflicts
}

fn order(conflict: &FieldConflict) -> (FieldPath, Text, Option<Text>) {
    (conflict.path.clone(), conflict.manager.clone(), conflict.subresource.clone())
}

/// Tells whether a field is what tells an item of a list from the others: without it nothing would be left.
fn is_key(path: &FieldPath) -> bool {
    match path.elements() {
        [.., PathElement::Key(fields), PathElement::Field(name)] => fields.names(name),
        _ => false,
    }
}

/// Finds the path that the server names in print.
fn path_of(fields: &FieldSet, printed: &str) -> Option<FieldPath> {
    let printed = format!(".{}", printed.trim_start_matches('.'));
    fields.paths().into_iter().find(|path| as_the_server_prints(path) == printed)
}

/// Returns a path that nobody lists, as far as it can be read.
fn as_written(printed: &str) -> FieldPath {
    FieldPath::fields(printed.trim_start_matches('.').split('.'))
}

#[cfg(test)]
mod tests;
