//! What can be told of an object of a built-in kind without asking a server.

use crate::field_path::{FieldPath, PathElement};
use crate::kind_info::builtin_scope;
use crate::manifest::Manifest;
use crate::mark::{ADDRESS_ANNOTATION, ENVIRONMENT_LABEL, LINEAGE_ANNOTATION};
use crate::object_ref::GroupKind;
use crate::value::{Text, Value};

/// Returns the kind that was meant by one that Kubernetes does not have: `Deployment of apps/v1` for a `deployment`
/// of the group `apps`, or for a `Deployment` of the core group.
///
/// Only groups without a dot are looked at: nobody but Kubernetes may add kinds to these.
pub fn kind_instead(kind: &GroupKind) -> Option<String> {
    if kind.group.contains('.') || builtin_scope(kind).is_some() {
        return None;
    }
    let all = engine_kinds::builtin::all();
    let is_like = |name: &str| name.eq_ignore_ascii_case(&kind.kind);
    let same_group = all.iter().find(|known| known.group == kind.group && is_like(known.kind));
    let meant = same_group.or_else(|| all.iter().find(|known| known.preferred && is_like(known.kind)))?;
    Some(format!("{} of {}", meant.kind, meant.api_version()))
}

/// Where pods are described.
const POD_SPECS: [&[&str]; 3] =
    [&["spec"], &["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"]];

/// Returns the first amount of a resource that is no quantity: of a quota, a claim, or what containers request.
/// Sensitive values are passed over.
///
/// # Source
/// Kubernetes API conventions, "Quantities".
pub fn invalid_quantity(manifest: &Manifest) -> Option<(FieldPath, Text)> {
    builtin_scope(&manifest.object_ref().kind)?;
    let body = manifest.body();
    let mut places = vec![(FieldPath::fields(["spec", "hard"]), body.at(&["spec", "hard"]))];
    places.push((
        FieldPath::fields(["spec", "resources", "requests"]),
        body.at(&["spec", "resources", "requests"]),
    ));
    for (spec, list) in
        POD_SPECS.iter().flat_map(|spec| ["containers", "initContainers"].map(|list| (spec, list)))
    {
        let Some(Value::List(containers)) = body.at(spec).and_then(|spec| spec.get(list)) else { continue };
        for (idx, container) in containers.iter().enumerate() {
            for part in ["requests", "limits"] {
                let mut path = FieldPath::fields(spec.iter().copied().chain([list]));
                path.push(PathElement::Index(idx));
                path.push(PathElement::Field("resources".into()));
                path.push(PathElement::Field(part.into()));
                places.push((path, container.at(&["resources", part])));
            }
        }
    }
    let amounts = places.into_iter().filter_map(|(path, value)| Some((path, value?.as_map()?)));
    let mut wrong = amounts.flat_map(|(path, amounts)| {
        amounts.iter().filter_map(move |(name, amount)| {
            let text = amount.as_str().filter(|text| text.parse::<engine_kinds::Quantity>().is_err())?;
            Some((path.join(PathElement::Field(name.clone())), Text::from(text)))
        })
    });
    wrong.find(|(path, _)| !manifest.sensitive().touches(path))
}

/// Returns the first value of a Secret that has to be text and is not, and what it is. What a server says of a Secret
/// names no values, and may come too late.
///
/// # Source
/// Kubernetes API, Secret v1: `data`, `stringData`.
pub fn not_text(manifest: &Manifest) -> Option<(FieldPath, &'static str)> {
    if !manifest.object_ref().kind.is("", "Secret") {
        return None;
    }
    ["data", "stringData"].into_iter().find_map(|field| {
        let mut values = manifest.body().get(field)?.as_map()?.iter();
        let (name, value) = values.find(|(_, value)| !matches!(value, Value::String(_) | Value::Null))?;
        Some((FieldPath::fields([field, &**name]), value.kind_name()))
    })
}

/// Returns the label or annotation that says whose an object is, which only Terrane may set.
pub fn reserved_mark(manifest: &Manifest) -> Option<FieldPath> {
    let marks = [
        ["metadata", "labels", ENVIRONMENT_LABEL],
        ["metadata", "annotations", LINEAGE_ANNOTATION],
        ["metadata", "annotations", ADDRESS_ANNOTATION],
    ];
    marks.into_iter().find(|mark| manifest.body().at(mark).is_some()).map(FieldPath::fields)
}

/// A part of an object that is larger than an API server takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// The part; the whole object if it is empty.
    pub path: FieldPath,
    /// Its size in bytes, at least.
    pub bytes: usize,
    /// What it may have at most, in bytes.
    pub limit: usize,
}

/// Returns the first part of an object that every API server refuses for its size: annotations beyond 256 KiB, data of a
/// `ConfigMap` or Secret beyond 1 MiB, an object beyond 3 MiB.
///
/// # Source
/// `k8s.io/apimachinery`, `TotalAnnotationSizeLimitB`; `k8s.io/kubernetes/pkg/apis/core`, `MaxSecretSize`;
/// `k8s.io/apiserver`, `MaxRequestBodyBytes`.
pub fn too_large(manifest: &Manifest) -> Option<TooLarge> {
    let body = manifest.body();
    let part = |path: &[&str]| body.at(path).map_or(0, text_bytes);
    let parts = [
        (&["metadata", "annotations"] as &[&str], part(&["metadata", "annotations"]), 256 << 10),
        (&["data"], data_bytes(manifest), 1 << 20),
        (&[], text_bytes(body), 3 << 20),
    ];
    let (path, bytes, limit) = parts.into_iter().find(|(_, bytes, limit)| bytes > limit)?;
    Some(TooLarge { path: FieldPath::fields(path.iter().copied()), bytes, limit })
}

/// Returns the bytes of what a `ConfigMap` or Secret holds, encoded values as they are when decoded.
fn data_bytes(manifest: &Manifest) -> usize {
    let kind = &manifest.object_ref().kind;
    let is_secret = kind.is("", "Secret");
    if !is_secret && !kind.is("", "ConfigMap") {
        return 0;
    }
    let values = |field: &str| {
        let map = manifest.body().get(field).and_then(Value::as_map);
        map.map_or(0, |map| map.iter().map(|(_, value)| text_bytes(value)).sum::<usize>())
    };
    match is_secret {
        true => values("data") / 4 * 3,
        false => values("data") + values("binaryData") / 4 * 3,
    }
}

/// Returns the bytes of all texts and names in a value: less than any form of it takes.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(text_bytes).sum(),
        Value::Map(map) => map.iter().map(|(name, field)| name.len() + text_bytes(field)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
