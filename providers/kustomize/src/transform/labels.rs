//! `labels`, `commonLabels` and `commonAnnotations`: where in which kinds they go.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/labels/>

use std::sync::LazyLock;

use engine_core::diagnostic::Diagnostics;
use engine_core::value::{Map, Text, Value};

use super::shared::SharedPair;
use super::{FieldSpec, shape_fault};
use crate::field_path::{self, Missing, ShapeError};
use crate::kustomization::{Labels, Pairs};
use crate::resource::Resource;
use crate::resource_set::ResourceSet;

const TEMPLATE_LABELS: &[&str] = &["spec", "template", "metadata", "labels"];
const TEMPLATE_ANNOTATIONS: &[&str] = &["spec", "template", "metadata", "annotations"];
const SELECTOR: &[&str] = &["spec", "selector", "matchLabels"];

const fn made(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    path: &'static [&'static str],
) -> FieldSpec {
    FieldSpec { group, version, kind, path, create: true }
}

const fn present(group: &'static str, kind: &'static str, path: &'static [&'static str]) -> FieldSpec {
    FieldSpec { group, version: "", kind, path, create: false }
}

const OWN_LABELS: FieldSpec = made("", "", "", &["metadata", "labels"]);

/// The labels of what an object makes: pods, jobs, claims.
const TEMPLATES: [FieldSpec; 9] = [
    made("", "v1", "ReplicationController", TEMPLATE_LABELS),
    made("", "", "Deployment", TEMPLATE_LABELS),
    made("", "", "ReplicaSet", TEMPLATE_LABELS),
    made("", "", "DaemonSet", TEMPLATE_LABELS),
    made("apps", "", "StatefulSet", TEMPLATE_LABELS),
    made("apps", "", "StatefulSet", &["spec", "volumeClaimTemplates[]", "metadata", "labels"]),
    made("batch", "", "Job", TEMPLATE_LABELS),
    made("batch", "", "CronJob", &["spec", "jobTemplate", "metadata", "labels"]),
    made("batch", "", "CronJob", &["spec", "jobTemplate", "spec", "template", "metadata", "labels"]),
];

/// The selectors, which must find what carries the labels.
const SELECTORS: [FieldSpec; 12] = [
    made("", "v1", "Service", &["spec", "selector"]),
    made("", "v1", "ReplicationController", &["spec", "selector"]),
    made("", "", "Deployment", SELECTOR),
    made("", "", "ReplicaSet", SELECTOR),
    made("", "", "DaemonSet", SELECTOR),
    made("apps", "", "StatefulSet", SELECTOR),
    present("batch", "Job", SELECTOR),
    present("batch", "CronJob", &["spec", "jobTemplate", "spec", "selector", "matchLabels"]),
    present("policy", "PodDisruptionBudget", SELECTOR),
    present("networking.k8s.io", "NetworkPolicy", &["spec", "podSelector", "matchLabels"]),
    present("networking.k8s.io", "NetworkPolicy", &["spec", "ingress", "from", "podSelector", "matchLabels"]),
    present("networking.k8s.io", "NetworkPolicy", &["spec", "egress", "to", "podSelector", "matchLabels"]),
];

/// The selectors inside pods, followed for deployments and stateful sets only.
const POD_SELECTORS: [&[&str]; 5] = [
    &[
        "spec",
        "template",
        "spec",
        "affinity",
        "podAffinity",
        "preferredDuringSchedulingIgnoredDuringExecution",
        "podAffinityTerm",
        "labelSelector",
        "matchLabels",
    ],
    &[
        "spec",
        "template",
        "spec",
        "affinity",
        "podAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "labelSelector",
        "matchLabels",
    ],
    &[
        "spec",
        "template",
        "spec",
        "affinity",
        "podAntiAffinity",
        "preferredDuringSchedulingIgnoredDuringExecution",
        "podAffinityTerm",
        "labelSelector",
        "matchLabels",
    ],
    &[
        "spec",
        "template",
        "spec",
        "affinity",
        "podAntiAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "labelSelector",
        "matchLabels",
    ],
    &["spec", "template", "spec", "topologySpreadConstraints", "labelSelector", "matchLabels"],
];

const ANNOTATIONS: [FieldSpec; 9] = [
    made("", "", "", &["metadata", "annotations"]),
    made("", "v1", "ReplicationController", TEMPLATE_ANNOTATIONS),
    made("", "", "Deployment", TEMPLATE_ANNOTATIONS),
    made("", "", "ReplicaSet", TEMPLATE_ANNOTATIONS),
    made("", "", "DaemonSet", TEMPLATE_ANNOTATIONS),
    made("", "", "StatefulSet", TEMPLATE_ANNOTATIONS),
    made("batch", "", "Job", TEMPLATE_ANNOTATIONS),
    made("batch", "", "CronJob", &["spec", "jobTemplate", "metadata", "annotations"]),
    made("batch", "", "CronJob", &["spec", "jobTemplate", "spec", "template", "metadata", "annotations"]),
];

static WITH_TEMPLATES: LazyLock<Vec<FieldSpec>> =
    LazyLock::new(|| std::iter::once(OWN_LABELS).chain(TEMPLATES).collect());

static WITH_SELECTORS: LazyLock<Vec<FieldSpec>> = LazyLock::new(|| {
    let pods = ["Deployment", "StatefulSet"]
        .into_iter()
        .flat_map(|kind| POD_SELECTORS.map(|path| present("apps", kind, path)));
    WITH_TEMPLATES.iter().copied().chain(SELECTORS).chain(pods).collect()
});

/// Applies one entry of `labels`.
///
/// # Errors
/// A field on the way to the labels of an object has another shape.
pub(crate) fn labels(resources: &mut ResourceSet, labels: &Labels) -> Result<(), Diagnostics> {
    let fields: &[FieldSpec] = if labels.include_selectors {
        &WITH_SELECTORS
    } else if labels.include_templates {
        &WITH_TEMPLATES
    } else {
        &[OWN_LABELS]
    };
    apply(resources, &labels.pairs, fields)
}

/// Applies `commonLabels`.
///
/// # Errors
/// As [`labels`].
pub(crate) fn common_labels(resources: &mut ResourceSet, pairs: &Pairs) -> Result<(), Diagnostics> {
    apply(resources, pairs, &WITH_SELECTORS)
}

/// Applies `commonAnnotations`.
///
/// # Errors
/// As [`labels`].
pub(crate) fn common_annotations(resources: &mut ResourceSet, pairs: &Pairs) -> Result<(), Diagnostics> {
    apply(resources, pairs, &ANNOTATIONS)
}

fn apply(resources: &mut ResourceSet, pairs: &Pairs, fields: &[FieldSpec]) -> Result<(), Diagnostics> {
    if pairs.is_empty() {
        return Ok(());
    }
    resources.change_each(|resource| {
        set_pairs(resource, pairs, fields)
            .map_err(|error| shape_fault(resource, "adding labels or annotations to", &error))
    })
}

fn set_pairs(resource: &mut Resource, pairs: &Pairs, fields: &[FieldSpec]) -> Result<(), ShapeError> {
    let gvk = resource.gvk().clone();
    for (key, value) in pairs {
        let mut made = Vec::new();
        for field in fields {
            if field.applies_to(&gvk.group, &gvk.version, &gvk.kind)
                && set_pair(&mut resource.value, (key, value), field)?
            {
                made.push(field.path);
            }
        }
        resource.follow_shared(|shared| shared == key);
        if made.len() > 1 {
            let (key, value) = (key.clone(), value.clone());
            resource.shared.push(SharedPair { key, value, places: made });
        }
    }
    Ok(())
}

/// Sets one entry and tells whether it was not there before.
fn set_pair(object: &mut Map, (key, text): (&Text, &Text), field: &FieldSpec) -> Result<bool, ShapeError> {
    let missing = if field.create { Missing::MakeMap } else { Missing::Skip };
    let mut is_new = false;
    field_path::visit(object, field.path, missing, &mut |value| match value {
        Value::Null => Ok(()),
        Value::Map(map) => {
            is_new |= map.insert(key.clone(), Value::String(text.clone())).is_none();
            Ok(())
        }
        _ => Err(ShapeError { field: field.path.join("."), wanted: "a map" }),
    })?;
    Ok(is_new)
}
