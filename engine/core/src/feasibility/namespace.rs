//! What is declared in each namespace.

use std::collections::{BTreeMap, HashMap};

use super::Subject;
use super::workload::{Workload, workload};
use crate::address::Address;
use crate::kind_info::builtin_scope;
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::plan::{Action, Change};
use crate::resource::Resource;
use crate::value::{Text, Value};

/// A declared object.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) resource: &'a Resource,
    /// Its body; null where a value must not be told or is not known.
    pub(super) body: &'a Value,
}

impl Declared<'_> {
    pub(super) fn object_ref(&self) -> &ObjectRef {
        self.resource.object_ref()
    }

    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.object_ref().kind.is(group, kind)
    }
}

/// A namespace in which something is declared.
pub(super) struct Namespace<'a> {
    /// The object of the namespace itself, if the environment declares it.
    pub(super) declared: Option<Declared<'a>>,
    /// Whether this plan creates it, so that nothing can be in it yet.
    pub(super) is_created: bool,
    /// Whether others may put further objects into it: a custom resource is declared there, Argo CD or Flux deliver
    /// there, or an object of others is read.
    pub(super) is_filled_by_others: bool,
    /// What is declared in it, reads left out.
    pub(super) objects: Vec<Declared<'a>>,
    /// Those of the objects that run pods.
    pub(super) workloads: Vec<Workload<'a>>,
}

impl<'a> Namespace<'a> {
    fn new() -> Self {
        Self {
            declared: None,
            is_created: false,
            is_filled_by_others: false,
            objects: Vec::new(),
            workloads: Vec::new(),
        }
    }

    /// Returns the objects of a kind.
    pub(super) fn of_kind(&self, group: &'a str, kind: &'a str) -> impl Iterator<Item = &Declared<'a>> {
        self.objects.iter().filter(move |object| object.is(group, kind))
    }
}

/// Returns what is declared, by namespace.
pub(super) fn namespaces<'a>(subject: Subject<'a>, bodies: &'a [Value]) -> Vec<Namespace<'a>> {
    let changes: HashMap<&Address, &Change> =
        subject.changes.iter().map(|change| (&change.address, change)).collect();
    let mut found: BTreeMap<(&ClusterRef, &Text), Namespace<'a>> = BTreeMap::new();
    let mut declared = Vec::new();
    let mut deliveries = Vec::new();
    for (resource, body) in subject.graph.resources().iter().zip(bodies) {
        let object = Declared { resource, body };
        let ObjectRef { cluster, kind, namespace, name } = resource.object_ref();
        if kind.is("", "Namespace") && resource.manifest().is_some() {
            declared.push(((cluster, name), object));
        }
        deliveries.extend(delivery(&object).map(|into| (cluster, into)));
        let Some(name) = namespace else { continue };
        let inside = found.entry((cluster, name)).or_insert_with(Namespace::new);
        if resource.manifest().is_none() {
            inside.is_filled_by_others = true;
            continue;
        }
        inside.is_filled_by_others |= builtin_scope(kind).is_none();
        inside.objects.push(object);
        inside.workloads.extend(workload(object, changes.get(&resource.address).copied()));
    }
    for (key, object) in declared {
        let Some(inside) = found.get_mut(&key) else { continue };
        let change = changes.get(&object.resource.address);
        inside.is_created = change.is_some_and(|change| change.action == Action::Create);
        inside.declared = Some(object);
    }
    for ((cluster, name), inside) in &mut found {
        inside.is_filled_by_others |= deliveries
            .iter()
            .any(|(to, into)| to == cluster && into.is_none_or(|into| into == name.as_str()));
        super::workload::scale(&mut inside.workloads, &inside.objects);
    }
    found.into_values().collect()
}

/// Returns the namespace that an object of Argo CD or Flux delivers into, `Some(None)` if it may be any.
fn delivery<'a>(object: &Declared<'a>) -> Option<Option<&'a str>> {
    let kind = &object.object_ref().kind;
    let target = match (kind.group.as_str(), kind.kind.as_str()) {
        ("argoproj.io", "Application") => &["spec", "destination", "namespace"][..],
        ("argoproj.io", "ApplicationSet") | ("kustomize.toolkit.fluxcd.io" | "helm.toolkit.fluxcd.io", _) => {
            &["spec", "targetNamespace"]
        }
        _ => return None,
    };
    Some(object.body.str_at(target))
}
