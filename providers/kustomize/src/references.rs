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
use crate::resource::{Gvk, Id, Resource, text_of};
use crate::resource_set::ResourceSet;
use crate::transform::shape_fault;

/// What is needed of an object to find out whether a name means it.
struct Candidate {
    id: Id,
    original_namespace: Text,
    /// The namespace as written.
    namespace: Text,
    previous: Vec<Id>,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
}

/// Every renamed object by each name it had before.
struct Renamed {
    candidates: Vec<Candidate>,
    by_name: HashMap<Text, Vec<usize>>,
    by_name_and_namespace: HashMap<(Text, Text), Vec<usize>>,
    /// For each namespace that objects were written in, renamed or not, the namespaces they are in now.
    written_in: HashMap<Text, HashSet<Text>>,
}

impl Renamed {
    fn of(resources: &ResourceSet) -> Self {
        let mut renamed = Self {
            candidates: Vec::new(),
            by_name: HashMap::new(),
            by_name_and_namespace: HashMap::new(),
            written_in: HashMap::new(),
        };
        for resource in resources.iter() {
            let (_, _, written) = resource.original();
            let now = resource.id().namespace.clone();
            renamed.written_in.entry(written.clone()).or_default().insert(now);
        }
        for resource in resources.iter().filter(|resource| !resource.previous.is_empty()) {
            let candidate = Candidate {
                id: resource.id().clone(),
                original_namespace: resource.original().2.clone(),
                namespace: resource.namespace(),
                previous: resource.previous_ids().collect(),
                prefixes: resource.prefixes.clone(),
                suffixes: resource.suffixes.clone(),
            };
            let at = renamed.candidates.len();
            let mut names: Vec<Text> = candidate.previous.iter().map(|id| id.name.clone()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let key = (name.clone(), candidate.id.namespace.clone());
                renamed.by_name_and_namespace.entry(key).or_default().push(at);
                renamed.by_name.entry(name).or_default().push(at);
            }
            renamed.candidates.push(candidate);
        }
        renamed
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
    fn within_reach(&self, name: &Text, holder: &Holder) -> Vec<&Candidate> {
        let at = |indexes: Option<&Vec<usize>>| -> Vec<&Candidate> {
            indexes.into_iter().flatten().map(|at| &self.candidates[*at]).collect()
        };
        if holder.id.is_cluster_scoped() {
            return at(self.by_name.get(name));
        }
        if !holder.account_namespaces.is_empty() {
            let mut found = at(self.by_name.get(name));
            found.retain(|candidate| {
                candidate.id.is_cluster_scoped()
                    || candidate.id.namespace == holder.id.namespace
                    || (candidate.id.gvk.kind == "ServiceAccount"
                        && holder.account_namespaces.contains(&candidate.namespace))
            });
            return found;
        }
        let key = |namespace: Text| (name.clone(), namespace);
        let mut found = at(self.by_name_and_namespace.get(&key(holder.id.namespace.clone())));
        found.extend(at(self.by_name_and_namespace.get(&key(Id::no_namespace()))));
        found
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
        candidate.previous.iter().any(|id| id.name == *name)
            && candidate.previous.iter().any(|id| is_selected(&id.gvk, &reference.target))
            && (!names_role
                || holder
                    .role
                    .as_ref()
                    .is_none_or(|role| candidate.previous.iter().any(|id| is_selected(&id.gvk, role))))
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

fn is_selected(gvk: &Gvk, by: &Gvk) -> bool {
    let fits = |own: &Text, wanted: &Text| wanted.is_empty() || own == wanted;
    fits(&gvk.group, &by.group) && fits(&gvk.version, &by.version) && fits(&gvk.kind, &by.kind)
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
