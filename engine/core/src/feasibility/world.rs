//! What the checks look at: all that is declared, what the plan does about it, and what the clusters hold.

use std::collections::{HashMap, HashSet};

use super::namespace::{Declared, Sight};
use super::{Subject, list, tellable, without};
use crate::address::Address;
use crate::object::Object;
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::plan::{Action, Change};
use crate::value::{Text, Value};

/// All that is judged.
pub(super) struct World<'a> {
    subject: Subject<'a>,
    pub(super) declared: Vec<Declared<'a>>,
    /// The objects of this environment as they are before the plan. Empty if no quota was read.
    pub(super) before: Vec<(&'a ObjectRef, Value)>,
    deleted: HashSet<&'a ObjectRef>,
    /// Where Argo CD and Flux deliver, `None` for a namespace that is not told.
    deliveries: Vec<(&'a ClusterRef, Option<&'a str>)>,
    brings_kinds: HashSet<&'a ClusterRef>,
    /// The quotas and limit ranges that were found, by namespace.
    bounds: HashMap<(&'a ClusterRef, &'a Text), Vec<Sight<'a>>>,
    /// The monitors of Prometheus, by the namespace that they look into, `None` for all.
    monitors: HashMap<(&'a ClusterRef, Option<&'a str>), Vec<Declared<'a>>>,
}

/// Returns what may be told of each declared object.
pub(super) fn bodies(subject: Subject<'_>) -> Vec<Value> {
    subject.graph.resources().iter().map(|it| it.manifest().map(tellable).unwrap_or_default()).collect()
}

impl<'a> World<'a> {
    /// Gathers it, with [`bodies`] of the same subject.
    pub(super) fn new(subject: Subject<'a>, bodies: &'a [Value]) -> Self {
        let changes: HashMap<&Address, &Change> =
            subject.changes.iter().map(|change| (&change.address, change)).collect();
        let resources = subject.graph.resources().iter().zip(bodies);
        let declared: Vec<_> = resources
            .map(|(resource, body)| Declared {
                resource,
                body,
                change: changes.get(&resource.address).copied(),
            })
            .collect();
        let gone = subject.changes.iter().filter(|it| matches!(it.action, Action::Delete { .. }));
        let deliveries = declared.iter().filter_map(|it| Some((&it.object_ref().cluster, delivery(it)?)));
        let kinds = subject.changes.iter().filter(|it| {
            it.action == Action::Create
                && it.object_ref.kind.is("apiextensions.k8s.io", "CustomResourceDefinition")
        });
        Self {
            subject,
            brings_kinds: kinds.map(|it| &it.object_ref.cluster).collect(),
            bounds: bounds(subject),
            monitors: monitors(&declared),
            before: before(subject, &declared),
            deleted: gone.map(|it| &it.object_ref).collect(),
            deliveries: deliveries.collect(),
            declared,
        }
    }

    /// Returns what an object would become.
    pub(super) fn predicted(&self, object: &Declared<'_>) -> Option<&'a Value> {
        self.subject.predictions.get(object.object_ref())?.result.as_ref().ok().map(Object::body)
    }

    /// Returns an object as it is, if it is not settled.
    pub(super) fn live(&self, object_ref: &ObjectRef) -> Option<&'a Value> {
        self.subject.live?.get(object_ref)?.object.as_ref().map(Object::body)
    }

    /// Returns what there is of a kind on a cluster, `None` if that is not known.
    pub(super) fn found(
        &self,
        cluster: &ClusterRef,
        kind: (&str, &str),
    ) -> Option<impl Iterator<Item = Sight<'a>> + use<'a>> {
        let found = self.subject.live?.surroundings.of(cluster, kind)?;
        Some(found.iter().map(|(object_ref, object)| Sight { object_ref, body: object.body() }))
    }

    /// Returns the quotas and limit ranges that were found in a namespace.
    pub(super) fn bounds(&self, place: (&'a ClusterRef, &'a Text)) -> &[Sight<'a>] {
        self.bounds.get(&place).map_or(&[], Vec::as_slice)
    }

    /// Returns the monitors of Prometheus that look into a namespace.
    pub(super) fn monitors(&self, cluster: &'a ClusterRef, namespace: &'a Text) -> Vec<Declared<'a>> {
        let looking = |into| self.monitors.get(&(cluster, into)).into_iter().flatten().copied();
        looking(Some(namespace.as_str())).chain(looking(None)).collect()
    }

    /// Tells whether the environment declares an object.
    pub(super) fn is_declared(&self, object_ref: &ObjectRef) -> bool {
        self.subject.graph.find(object_ref).is_some()
    }

    /// Tells whether the plan deletes an object.
    pub(super) fn is_deleted(&self, object_ref: &ObjectRef) -> bool {
        self.deleted.contains(object_ref)
    }

    /// Tells whether Argo CD or Flux bring something to a cluster.
    pub(super) fn delivers_to(&self, cluster: &ClusterRef) -> bool {
        self.deliveries.iter().any(|(to, _)| *to == cluster)
    }

    /// Tells whether the plan creates kinds on a cluster, and so installs controllers of them.
    pub(super) fn brings_kinds(&self, cluster: &ClusterRef) -> bool {
        self.brings_kinds.contains(cluster)
    }

    /// Tells whether Argo CD or Flux may put something into a namespace.
    pub(super) fn is_delivered_into(&self, cluster: &ClusterRef, namespace: &Text) -> bool {
        let is_there = |into: Option<&str>| into.is_none_or(|into| into == namespace.as_str());
        self.deliveries.iter().any(|(to, into)| *to == cluster && is_there(*into))
    }
}

fn bounds(subject: Subject<'_>) -> HashMap<(&ClusterRef, &Text), Vec<Sight<'_>>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    let lists = subject.live.into_iter().flat_map(|live| live.surroundings.bounds());
    for (object_ref, object) in lists {
        let Some(namespace) = &object_ref.namespace else { continue };
        let sight = Sight { object_ref, body: object.body() };
        found.entry((&object_ref.cluster, namespace)).or_default().push(sight);
    }
    found
}

fn monitors<'a>(declared: &[Declared<'a>]) -> HashMap<(&'a ClusterRef, Option<&'a str>), Vec<Declared<'a>>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    let is_monitor = |it: &&Declared<'a>| {
        ["ServiceMonitor", "PodMonitor"].iter().any(|kind| it.is("monitoring.coreos.com", kind))
    };
    for monitor in declared.iter().filter(is_monitor) {
        let cluster = &monitor.object_ref().cluster;
        let selector = monitor.body.at(&["spec", "namespaceSelector"]);
        let names = selector.map(|it| list(it, &["matchNames"])).unwrap_or_default();
        let into: Vec<Option<&str>> = match selector.and_then(|it| it.get("any")).and_then(Value::as_bool) {
            Some(true) => vec![None],
            _ if names.is_empty() => vec![monitor.object_ref().namespace.as_deref()],
            _ => names.iter().filter_map(Value::as_str).map(Some).collect(),
        };
        for into in into {
            found.entry((cluster, into)).or_default().push(*monitor);
        }
    }
    found
}

/// Returns the objects of the environment as they are: those that the plan creates are left out, those that it deletes
/// are there.
fn before<'a>(subject: Subject<'a>, declared: &[Declared<'a>]) -> Vec<(&'a ObjectRef, Value)> {
    let Some(live) = subject.live.filter(|live| !live.surroundings.is_empty()) else { return Vec::new() };
    let live = |object_ref: &ObjectRef| live.get(object_ref)?.object.as_ref();
    let kept = declared.iter().filter_map(|it| {
        let manifest = it.resource.manifest()?;
        let body = live(it.object_ref()).map(|found| without(found.body(), manifest.sensitive()));
        (!it.is_created()).then(|| (it.object_ref(), body.unwrap_or_else(|| it.body.clone())))
    });
    let deleted = subject.changes.iter().filter(|it| matches!(it.action, Action::Delete { .. }));
    let deleted = deleted.filter_map(|it| Some((&it.object_ref, live(&it.object_ref)?.body().clone())));
    kept.chain(deleted).collect()
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
