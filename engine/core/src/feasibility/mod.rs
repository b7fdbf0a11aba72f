//! Feasibility: what can be told of a plan to come to grief, before it is tried.
//!
//! What is declared is judged, against itself and against the quotas, limits and classes that the cluster was found to
//! have. Other objects of others are not read, so that one of them is missing is said only where nobody else can have
//! made it: in a namespace that this very plan creates. Everything is a warning, but for what no apply can bring about.

mod autoscaling;
mod bounds;
mod classes;
mod custom;
mod images;
mod limits;
mod namespace;
mod network;
mod pod_security;
mod quota;
mod references;
mod selectors;
mod versions;
mod workload;
mod world;

use std::collections::{BTreeSet, HashMap};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::ResourceGraph;
use crate::live::Live;
use crate::manifest::Manifest;
use crate::object_ref::ObjectRef;
use crate::plan::Change;
use crate::prediction::Prediction;
use crate::resource::Resource;
use crate::sensitive::SensitivePaths;
use crate::value::Value;
use namespace::{Namespace, namespaces};
use rayon::prelude::*;
use world::World;

/// What the workloads of a namespace can ask for is more than a quota of it allows.
pub const OVER_QUOTA: Code = Code(801);
/// One pod asks for more than a quota allows in all.
pub const POD_OVER_QUOTA: Code = Code(802);
/// A quota counts what a container does not name: its pods are refused.
pub const UNNAMED_AMOUNT: Code = Code(803);
/// A container asks for more or less than a `LimitRange` allows.
pub const OUT_OF_LIMITS: Code = Code(804);
/// A pod takes a key that the declared `ConfigMap` or Secret does not have.
pub const MISSING_KEY: Code = Code(805);
/// A pod needs an object that is not declared, in a namespace that the plan creates.
pub const MISSING_OBJECT: Code = Code(806);
/// A Service selects no declared pod.
pub const SERVICE_WITHOUT_PODS: Code = Code(807);
/// A `PodDisruptionBudget` selects no declared pod.
pub const BUDGET_WITHOUT_PODS: Code = Code(808);
/// A `PodDisruptionBudget` allows no eviction.
pub const NO_EVICTION: Code = Code(809);
/// An autoscaler goes by a share of requests that a container does not name.
pub const UNSCALABLE: Code = Code(810);
/// An autoscaler scales what is not declared.
pub const NOTHING_TO_SCALE: Code = Code(811);
/// Pods break the Pod Security Standard that their namespace enforces.
pub const POD_SECURITY: Code = Code(812);
/// An image has no tag, or the tag `latest`.
pub const FLOATING_IMAGE: Code = Code(813);
/// `NetworkPolicies` cut pods off from DNS.
pub const NO_DNS: Code = Code(814);
/// Newer versions of Kubernetes do not serve the API version.
pub const REMOVED_VERSION: Code = Code(815);
/// The plan adds more than a quota of the cluster has left.
pub const QUOTA_USED_UP: Code = Code(816);
/// A claim is of a `StorageClass` that is not there.
pub const MISSING_STORAGE_CLASS: Code = Code(817);
/// An Ingress is of an `IngressClass` that is not there.
pub const MISSING_INGRESS_CLASS: Code = Code(818);
/// Pods are of a `PriorityClass` that is not there.
pub const MISSING_PRIORITY_CLASS: Code = Code(819);
/// `NetworkPolicies` keep an Ingress from its pods.
pub const NO_INGRESS: Code = Code(820);
/// `NetworkPolicies` keep a monitor of Prometheus from what it measures.
pub const NO_SCRAPE: Code = Code(821);
/// A custom resource does not fit the schema that this plan gives its kind.
pub const BROKEN_SCHEMA: Code = Code(822);
/// A custom resource breaks a rule that this plan gives its kind.
pub const BROKEN_RULE: Code = Code(823);

/// The codes of all checks: what `accept` of the `terrane` block may name.
pub const CODES: &[Code] = &[
    OVER_QUOTA,
    POD_OVER_QUOTA,
    UNNAMED_AMOUNT,
    OUT_OF_LIMITS,
    MISSING_KEY,
    MISSING_OBJECT,
    SERVICE_WITHOUT_PODS,
    BUDGET_WITHOUT_PODS,
    NO_EVICTION,
    UNSCALABLE,
    NOTHING_TO_SCALE,
    POD_SECURITY,
    FLOATING_IMAGE,
    NO_DNS,
    REMOVED_VERSION,
    QUOTA_USED_UP,
    MISSING_STORAGE_CLASS,
    MISSING_INGRESS_CLASS,
    MISSING_PRIORITY_CLASS,
    NO_INGRESS,
    NO_SCRAPE,
    BROKEN_SCHEMA,
    BROKEN_RULE,
];

/// What is judged.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Desired.
    pub graph: &'a ResourceGraph,
    /// What the plan does about it: tells which namespaces it creates, and which pods it starts.
    pub changes: &'a [Change],
    /// What the clusters hold; `None` if none was asked.
    pub live: Option<&'a Live>,
    /// What the objects that are written would become.
    pub predictions: &'a HashMap<ObjectRef, Prediction>,
    /// Findings that the user knows of and accepts.
    pub accepted: &'a BTreeSet<Code>,
}

/// A check of all that is declared in a namespace.
type Check = fn(&Namespace<'_>, &mut Diagnostics);

const CHECKS: &[Check] = &[
    quota::check,
    limits::check,
    references::check,
    selectors::check,
    autoscaling::check,
    pod_security::check,
    images::check,
    network::check,
];

/// Returns what of a plan cannot come to work, as far as the definition and the surroundings tell. It costs some passes
/// over the resources.
pub fn feasibility(subject: Subject<'_>) -> Diagnostics {
    let bodies = world::bodies(subject);
    let world = World::new(subject, &bodies);
    let of_namespace = |namespace: &Namespace<'_>| {
        let mut found = Diagnostics::default();
        CHECKS.iter().for_each(|check| check(namespace, &mut found));
        found
    };
    let by_namespace: Vec<Diagnostics> = namespaces(&world).par_iter().map(of_namespace).collect();
    let mut found: Diagnostics = by_namespace.into_iter().flatten().collect();
    classes::check(&world, &mut found);
    custom::check(&world, &mut found);
    versions::check(subject.graph.resources(), &mut found);
    found.into_iter().filter(|it| !subject.accepted.contains(&it.code)).collect()
}

/// Returns what may be told of an object. What is sensitive is null, as is what is known only at apply: for all checks
/// a value that nobody knows.
fn tellable(manifest: &Manifest) -> Value {
    without(manifest.body(), manifest.sensitive())
}

fn without(value: &Value, sensitive: &SensitivePaths) -> Value {
    if sensitive.is_empty() {
        return value.clone();
    }
    match value {
        _ if sensitive.is_all() => Value::Null,
        Value::Map(map) => Value::map(map.iter().map(|(name, field)| {
            let field = sensitive.field(name).map_or_else(|| field.clone(), |below| without(field, below));
            (name.clone(), field)
        })),
        Value::List(items) => Value::list(items.iter().map(|item| without(item, sensitive))),
        scalar => scalar.clone(),
    }
}

/// Says of which resource a finding is.
fn about(resource: &Resource, diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.at(resource.span.clone()).about(resource.address.clone())
}

/// Returns the items of a list under nested fields; none if there is no list.
fn list<'a>(value: &'a Value, names: &[&str]) -> &'a [Value] {
    value.at(names).and_then(Value::as_list).unwrap_or_default()
}

/// Returns the value under nested fields; null if it lies in something that is not known.
fn seek<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().try_fold(value, |value, name| match value {
        Value::Null => Some(value),
        value => value.get(name),
    })
}

/// Names the first few of many.
fn some_of(names: &[String]) -> String {
    const NAMED: usize = 4;
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
