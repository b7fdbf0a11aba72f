//! What is declared in each namespace, and what bounds it.

use std::collections::BTreeMap;

use super::bounds::Bound;
use super::workload::{Workload, ranges, workload};
use super::world::World;
use crate::kind_info::builtin_scope;
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef};
use crate::plan::{Action, Change};
use crate::resource::Resource;
use crate::value::{Text, Value};

/// An object, declared or found.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) object_ref: &'a ObjectRef,
    /// Its body; null where a value must not be told or is not known.
    pub(super) body: &'a Value,
}

impl Sight<'_> {
    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.object_ref.kind.is(group, kind)
    }
}

/// A declared object.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) resource: &'a Resource,
    /// Its body; null where a value must not be told or is not known.
    pub(super) body: &'a Value,
    /// What the plan does about it.
    pub(super) change: Option<&'a Change>,
}

impl<'a> Declared<'a> {
    /// Tells whether this plan writes it.
    pub(super) fn is_written(&self) -> bool {
        let still = |action: &Action| {
            matches!(action, Action::NoOp | Action::Await | Action::Move { .. } | Action::Read)
        };
        self.change.is_some_and(|it| !still(&it.action))
    }

    /// Tells whether this plan creates it.
    pub(super) fn is_created(&self) -> bool {
        self.change.is_some_and(|it| it.action == Action::Create)
    }

    pub(super) fn object_ref(&self) -> &'a ObjectRef {
        self.resource.object_ref()
    }

    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.object_ref().kind.is(group, kind)
    }

    pub(super) fn sight(&self) -> Sight<'a> {
        Sight { object_ref: self.object_ref(), body: self.body }
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
    /// The objects of this environment as they are before the plan. Empty if quotas were not read.
    pub(super) before: Vec<Sight<'a>>,
    /// The monitors of Prometheus that look into it, wherever they are.
    pub(super) monitors: Vec<Declared<'a>>,
    /// The quotas in it.
    pub(super) quotas: Vec<Bound<'a>>,
    /// The limit ranges in it.
    pub(super) ranges: Vec<Bound<'a>>,
    /// Whether all limit ranges are known, and not only those that are declared.
    pub(super) knows_ranges: bool,
}

impl<'a> Namespace<'a> {
    fn new() -> Self {
        Self {
            declared: None,
            is_created: false,
            is_filled_by_others: false,
            objects: Vec::new(),
            workloads: Vec::new(),
            before: Vec::new(),
            monitors: Vec::new(),
            quotas: Vec::new(),
            ranges: Vec::new(),
            knows_ranges: false,
        }
    }

    /// Returns the objects of a kind.
    pub(super) fn of_kind(&self, group: &'a str, kind: &'a str) -> impl Iterator<Item = &Declared<'a>> {
        self.objects.iter().filter(move |object| object.is(group, kind))
    }

    /// Returns all objects as they are declared.
    pub(super) fn sights(&self) -> Vec<Sight<'a>> {
        self.objects.iter().map(Declared::sight).collect()
    }
}

/// Returns what is declared, by namespace.
pub(super) fn namespaces<'a>(world: &'a World<'a>) -> Vec<Namespace<'a>> {
    let mut found: BTreeMap<(&ClusterRef, &Text), Namespace<'a>> = BTreeMap::new();
    let mut declared = Vec::new();
    for object in &world.declared {
        let ObjectRef { cluster, kind, namespace, name } = object.object_ref();
        if kind.is("", "Namespace") && object.resource.manifest().is_some() {
            declared.push(((cluster, name), object));
        }
        let Some(name) = namespace else { continue };
        let inside = found.entry((cluster, name)).or_insert_with(Namespace::new);
        if object.resource.manifest().is_none() {
            inside.is_filled_by_others = true;
            continue;
        }
        inside.is_filled_by_others |= builtin_scope(kind).is_none() && !is_only_read(kind);
        inside.objects.push(*object);
        inside.workloads.extend(workload(*object));
    }
    for (key, object) in declared {
        let Some(inside) = found.get_mut(&key) else { continue };
        inside.is_created = object.is_created();
        inside.declared = Some(*object);
    }
    for (object_ref, body) in &world.before {
        let namespace =
            object_ref.namespace.as_ref().and_then(|it| found.get_mut(&(&object_ref.cluster, it)));
        if let Some(inside) = namespace {
            inside.before.push(Sight { object_ref, body });
        }
    }
    for ((cluster, name), inside) in &mut found {
        inside.is_filled_by_others |= world.is_delivered_into(cluster, name);
        super::workload::scale(&mut inside.workloads, &ranges(inside.objects.iter().map(Declared::sight)));
        inside.monitors = world.monitors(cluster, name);
        super::bounds::fill(inside, world, (cluster, name));
    }
    found.into_values().collect()
}

/// Tells whether objects of a kind are only read by the controller of the kind: Prometheus' operator makes nothing in the
/// namespace of what it measures.
fn is_only_read(kind: &GroupKind) -> bool {
    kind.group == "monitoring.coreos.com"
        && ["PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor"]
            .contains(&kind.kind.as_str())
}
