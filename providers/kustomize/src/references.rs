//! Names in one object that refer to another: when the other was renamed, they follow.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#name-reference-transformer>

mod fields;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::value::{Map, Text, Value};

use self::fields::{REFERENCES, Reference};
use crate::codes;
use crate::field_path::{self, Missing, ShapeError};
use crate::resource::{Gvk, Id, PreviousId, Resource, text_of};
use crate::resource_set::ResourceSet;
use crate::transform::shape_fault;

/// What is needed of an object to find out whether a name means it.
struct Candidate {
    id: Id,
    original_namespace: Text,
    /// The namespace as written.
    namespace: Text,
    previous: Vec<PreviousId>,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
}

impl Candidate {
    fn was_called(&self, name: &str) -> bool {
        self.previous.iter().any(|previous| previous.name == name)
    }

    /// Tells whether it is or was of a kind; empty parts mean any.
    fn was_a(&self, gvk: &Gvk) -> bool {
        let fits = |own: &Text, wanted: &Text| wanted.is_empty() || own == wanted;
        fits(&self.id.gvk.group, &gvk.group)
            && fits(&self.id.gvk.version, &gvk.version)
            && self.previous.iter().any(|previous| fits(&previous.kind, &gvk.kind))
    }
}

/// Every renamed object by each name it had before.
struct Renamed {
    candidates: Vec<Candidate>,
    /// Former names, each with its candidate, by name and by the namespace that the candidate is in.
    names: Vec<(Text, usize)>,
    /// For each namespace that objects were written in, renamed or not, the namespaces they are in now.
    written_in: HashMap<Text, HashSet<Text>>,
}

impl Renamed {
    fn of(resources: &ResourceSet) -> Self {
        let mut written_in: HashMap<Text, HashSet<Text>> = HashMap::new();
        for resource in resources.iter() {
            let (_, _, written) = resource.original();
            let now = resource.id().namespace.clone();
            written_in.entry(written.clone()).or_default().insert(now);
        }
        let candidates: Vec<Candidate> = resources
            .iter()
            .filter(|resource| !resource.previous.is_empty())
            .map(|resource| Candidate {
                id: resource.id().clone(),
                original_namespace: resource.original().2.clone(),
                namespace: resource.namespace(),
                previous: resource.previous.clone(),
                prefixes: resource.prefixes.clone(),
                suffixes: resource.suffixes.clone(),
            })
            .collect();
        let mut names: Vec<(Text, usize)> = Vec::new();
        for (at, candidate) in candidates.iter().enumerate() {
            names.extend(candidate.previous.iter().map(|previous| (previous.name.clone(), at)));
        }
        names.sort_unstable_by(|(a, a_at), (b, b_at)| {
            let namespaces = (&candidates[*a_at].id.namespace, &candidates[*b_at].id.namespace);
            a.cmp(b).then(namespaces.0.cmp(namespaces.1)).then(a_at.cmp(b_at))
        });
        names.dedup();
        Self { candidates, names, written_in }
    }

    /// Tells whether any object that `holder` may refer to was written in a namespace.
    fn knows_namespace(&self, namespace: &str, holder: &Holder) -> bool {
        self.written_in.get(namespace).is_some_and(|now| {
            holder.id.is_cluster_scoped()
                || now.contains(&holder.id.namespace)
                || holder.account_namespaces.iter().any(|namespace| now.contains(namespace))
        })
    }

    /// Returns the objects once called `name` that `holder` may refer to at all.
    fn within_reach<'r>(&'r self, name: &'r str, holder: &Holder) -> Vec<&'r Candidate> {
        if holder.id.is_cluster_scoped() {
            return self.called(name).collect();
        }
        if holder.account_namespaces.is_empty() {
            let here = self.called_in(name, &holder.id.namespace);
            return here.chain(self.called_in(name, &Id::no_namespace())).collect();
        }
        let is_account = |candidate: &Candidate| {
            candidate.id.gvk.kind == "ServiceAccount"
                && holder.account_namespaces.contains(&candidate.namespace)
        };
        self.called(name)
            .filter(|candidate| {
                candidate.id.is_cluster_scoped()
                    || candidate.id.namespace == holder.id.namespace
                    || is_account(candidate)
            })
            .collect()
    }

    fn called<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Candidate> {
        let start = self.names.partition_point(|(own, _)| own.as_str() < name);
        let same = self.names[start..].iter().take_while(move |(own, _)| own == name);
        same.map(|(_, at)| &self.candidates[*at])
    }

    fn called_in<'r>(&'r self, name: &'r str, namespace: &str) -> impl Iterator<Item = &'r Candidate> {
        let namespace = Text::from(namespace);
        let place = |at: usize| self.candidates[at].id.namespace.as_str();
        let start =
            self.names.partition_point(|(own, at)| (own.as_str(), place(*at)) < (name, namespace.as_str()));
        let same = self.names[start..].iter().take_while(move |(own, _)| own == name);
        same.map(|(_, at)| &self.candidates[*at])
            .take_while(move |candidate| candidate.id.namespace == namespace)
    }
}

/// The object whose references are followed.
struct Holder {
    id: Id,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
    role: Option<Gvk>,
    /// The namespaces of the service accounts that a role binding names.
    account_namespaces: HashSet<Text>,
}

/// Follows the references of every object to what was renamed.
///
/// # Errors
/// A name fits several objects with different names, or a field has another shape.
pub(crate) fn follow(resources: &mut ResourceSet) -> Result<(), Diagnostics> {
    let renamed = Renamed::of(resources);
    if renamed.candidates.is_empty() {
        return Ok(());
    }
    resources.change_each(|resource| {
        let Some(references) = REFERENCES.get(resource.original().0.as_str()) else {
            return Ok(());
        };
        let gvk = resource.gvk().clone();
        let holder = Holder {
            id: resource.id().clone(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            role: role_of(&resource.value),
            account_namespaces: account_namespaces(&resource.value),
        };
        for reference in references {
            if (reference.group.is_empty() || reference.group == gvk.group)
                && (reference.version.is_empty() || reference.version == gvk.version)
            {
                follow_one(resource, &holder, reference, &renamed)?;
            }
        }
        Ok(())
    })
}

fn follow_one(
    resource: &mut Resource,
    holder: &Holder,
    reference: &Reference,
    renamed: &Renamed,
) -> Result<(), Diagnostics> {
    let mut ambiguous = None;
    let origin = resource.origin.clone();
    let visited = field_path::visit(&mut resource.value, &reference.path, Missing::Skip, &mut |value| {
        let mut one = |value: &mut Value| match value {
            Value::Map(map) => set_map(map, holder, reference, renamed, &mut ambiguous),
            Value::List(_) => Err(shape("a name or a map")),
            Value::Null => Ok(()),
            scalar => {
                set_name(scalar, holder, reference, renamed, &mut ambiguous);
                Ok(())
            }
        };
        match value {
            Value::List(items) => Arc::make_mut(items).iter_mut().try_for_each(one),
            value => one(value),
        }
    });
    visited.map_err(|error| shape_fault(resource, "following the references of", &error))?;
    ambiguous.map_or(Ok(()), |name: Text| {
        let summary = format!("`{name}` in {} fits several renamed objects", holder.id);
        Err(Diagnostic::error(codes::AMBIGUOUS_REFERENCE, summary).at(origin).into())
    })
}

fn shape(wanted: &'static str) -> ShapeError {
    ShapeError { field: "a reference".to_owned(), wanted }
}

fn set_name(
    value: &mut Value,
    holder: &Holder,
    reference: &Reference,
    renamed: &Renamed,
    ambiguous: &mut Option<Text>,
) {
    let name = text_of(Some(value));
    let candidates = renamed.within_reach(&name, holder);
    match choose(&name, candidates, holder, reference) {
        Choice::None => {}
        Choice::One(candidate) => *value = Value::String(candidate.id.name.clone()),
        Choice::Several(candidates) => {
            if candidates.iter().all(|other| other.id.name == candidates[0].id.name) {
                *value = Value::String(candidates[0].id.name.clone());
            } else {
                *ambiguous = Some(name);
            }
        }
    }
}

/// Follows a reference that has a name and may have a namespace.
fn set_map(
    map: &mut Map,
    holder: &Holder,
    reference: &Reference,
    renamed: &Renamed,
    ambiguous: &mut Option<Text>,
) -> Result<(), ShapeError> {
    let name = match map.get("name") {
        None => return Err(shape("a map with a `name`")),
        name => text_of(name),
    };
    let mut candidates = renamed.within_reach(&name, holder);
    if let Some(namespace) = map.get("namespace") {
        let namespace = text_of(Some(namespace));
        if renamed.knows_namespace(&namespace, holder) {
            candidates.retain(|candidate| candidate.original_namespace == namespace);
        } else {
            candidates.retain(|candidate| candidate.id.namespace == namespace);
        }
    }
    let chosen = match choose(&name, candidates, holder, reference) {
        Choice::None => return Ok(()),
        Choice::One(candidate) => candidate,
        Choice::Several(candidates) => {
            let first = candidates[0];
            let is_same =
                |other: &&Candidate| other.id.name == first.id.name && other.namespace == first.namespace;
            if !candidates.iter().all(is_same) {
                *ambiguous = Some(name);
                return Ok(());
            }
            first
        }
    };
    map.insert("name".into(), Value::String(chosen.id.name.clone()));
    if !chosen.namespace.is_empty() {
        map.insert("namespace".into(), Value::String(chosen.namespace.clone()));
    }
    Ok(())
}

enum Choice<'c> {
    None,
    One(&'c Candidate),
    Several(Vec<&'c Candidate>),
}

/// Chooses which of the objects once called `name` a reference means.
fn choose<'c>(
    name: &Text,
    mut candidates: Vec<&'c Candidate>,
    holder: &Holder,
    reference: &Reference,
) -> Choice<'c> {
    let names_role = reference.path.ends_with(&["roleRef", "name"]);
    candidates.retain(|candidate| {
        candidate.was_called(name)
            && candidate.was_a(&reference.target)
            && (!names_role || holder.role.as_ref().is_none_or(|role| candidate.was_a(role)))
            && (holder.id.is_cluster_scoped()
                || candidate.id.is_cluster_scoped()
                || candidate.id.gvk.kind == "ServiceAccount"
                || candidate.id.namespace == holder.id.namespace)
    });
    if candidates.len() != 1 {
        candidates.retain(|candidate| {
            (no_or_same_tail(&candidate.prefixes, &holder.prefixes))
                && (no_or_same_tail(&candidate.suffixes, &holder.suffixes))
        });
    }
    if candidates.len() > 1 {
        candidates.retain(|candidate| {
            same_tail(&candidate.prefixes, &holder.prefixes)
                && same_tail(&candidate.suffixes, &holder.suffixes)
        });
    }
    match candidates.as_slice() {
        [] => Choice::None,
        [one] => Choice::One(one),
        _ => Choice::Several(candidates),
    }
}

fn no_or_same_tail(a: &[Text], b: &[Text]) -> bool {
    a.is_empty() || b.is_empty() || same_tail(a, b)
}

/// Tells whether the shorter list ends the longer one; an empty list ends only an empty one.
fn same_tail(a: &[Text], b: &[Text]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.len() == b.len();
    }
    a.ends_with(b) || b.ends_with(a)
}

fn role_of(object: &Map) -> Option<Gvk> {
    let role = object.get("roleRef")?;
    Some(Gvk {
        group: text_of(Some(role.get("apiGroup")?)),
        version: Text::default(),
        kind: text_of(Some(role.get("kind")?)),
    })
}

fn account_namespaces(object: &Map) -> HashSet<Text> {
    if text_of(object.get("kind")) != "RoleBinding" {
        return HashSet::new();
    }
    let subjects = object.get("subjects").and_then(Value::as_list).unwrap_or_default();
    subjects
        .iter()
        .filter(|subject| subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount"))
        .filter_map(|subject| subject.get("namespace").and_then(Value::as_str))
        .map(Text::from)
        .collect()
}
