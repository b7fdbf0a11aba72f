//! An object as its author wrote it, made fit to hash and to send.

use base64::Engine as _;

use crate::digest::{Fingerprint, SealKey};
use crate::field_path::FieldPath;
use crate::mark::OwnershipMark;
use crate::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef};
use crate::sensitive::SensitivePaths;
use crate::value::{Map, Text, Value};

/// A place in a manifest whose value is known only at apply. The field is null until a
/// [`Resolver`](crate::ports::Resolver) fills it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The field.
    pub path: FieldPath,
}

/// A desired object. It may hold secrets, so it has no `Debug`.
///
/// Invariant: the body is normalised, and its `apiVersion`, `kind`, name and namespace agree with the
/// reference.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    object_ref: ObjectRef,
    api_version: ApiVersion,
    body: Value,
    sensitive: SensitivePaths,
    holes: Vec<Hole>,
}

/// Why a body is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The body is a list or a scalar.
    #[error("a manifest must be an object, found {0}")]
    NotAnObject(&'static str),
    /// A field that identifies the object is absent or not a string.
    #[error("a manifest needs a text in `{0}`")]
    Missing(&'static str),
    /// `apiVersion` is neither `version` nor `group/version`.
    #[error("`{0}` is not an apiVersion")]
    ApiVersion(Text),
    /// A name that no API path can hold.
    #[error("`{value}` is not a valid `{field}`")]
    Name {
        /// `metadata.name` or `metadata.namespace`.
        field: &'static str,
        /// The text found.
        value: Text,
    },
    /// A field that a declared object cannot have.
    #[error("`{0}` cannot be declared: the name of an object must be known")]
    Refused(&'static str),
}

/// Fields that the server owns: dropped before hashing and sending.
const SERVER_OWNED: [&[&str]; 7] = [
    &["status"],
    &["metadata", "creationTimestamp"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
];

impl Manifest {
    /// Normalises a body and takes its identity from it.
    ///
    /// `sensitive` adds to what is sensitive by kind. The fields named by `holes` must be null.
    ///
    /// # Errors
    /// The body has no usable identity.
    pub fn new(
        cluster: ClusterRef,
        body: Value,
        mut sensitive: SensitivePaths,
        holes: Vec<Hole>,
    ) -> Result<Self, ManifestError> {
        if body.as_map().is_none() {
            return Err(ManifestError::NotAnObject(body.kind_name()));
        }
        let text = |names: &[&str], field| body.str_at(names).filter(|t| !t.is_empty()).ok_or(field);
        let api_version = text(&["apiVersion"], "apiVersion").map_err(ManifestError::Missing)?;
        let api_version: ApiVersion =
            api_version.parse().map_err(|_| ManifestError::ApiVersion(api_version.into()))?;
        let kind = text(&["kind"], "kind").map_err(ManifestError::Missing)?;
        if body.at(&["metadata", "generateName"]).is_some() {
            return Err(ManifestError::Refused("metadata.generateName"));
        }
        let name =
            path_segment(text(&["metadata", "name"], "metadata.name").map_err(ManifestError::Missing)?)?;
        let namespace = match body.at(&["metadata", "namespace"]) {
            None | Some(Value::Null) => None,
            Some(Value::String(namespace)) => Some(dns_label(namespace)?),
            Some(_) => return Err(ManifestError::Missing("metadata.namespace")),
        };
        let kind = GroupKind::new(api_version.group.clone(), kind);
        let by_kind = SensitivePaths::of_kind(&kind);
        if !by_kind.is_empty() {
            for path in [&["data"] as &[&str], &["stringData"]] {
                sensitive.insert(&FieldPath::fields(path.iter().copied()));
            }
        }
        let object_ref = ObjectRef { cluster, kind, namespace, name };
        let body = normalise(body, &object_ref.kind, &holes);
        Ok(Self { object_ref, api_version, body, sensitive, holes })
    }

    /// Returns the identity.
    pub fn object_ref(&self) -> &ObjectRef {
        &self.object_ref
    }

    /// Returns the version that the manifest is written in.
    pub fn api_version(&self) -> &ApiVersion {
        &self.api_version
    }

    /// Returns the normalised body.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Returns the sensitive fields.
    pub fn sensitive(&self) -> &SensitivePaths {
        &self.sensitive
    }

    /// Returns the fields that are known only at apply.
    pub fn holes(&self) -> &[Hole] {
        &self.holes
    }

    /// Returns where the holes are.
    pub fn hole_paths(&self) -> Vec<FieldPath> {
        self.holes().iter().map(|hole| hole.path.clone()).collect()
    }

    /// Returns the kind that this manifest defines, if it is a `CustomResourceDefinition`.
    pub fn defined_kind(&self) -> Option<GroupKind> {
        if !self.object_ref.kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            return None;
        }
        let group = self.body.str_at(&["spec", "group"])?;
        Some(GroupKind::new(group, self.body.str_at(&["spec", "names", "kind"])?))
    }

    /// Returns the digest that a record keeps as `desired`. Ownership marks are not part of it.
    pub fn fingerprint(&self, key: Option<&SealKey>) -> Fingerprint {
        Fingerprint::of(&self.body, &self.sensitive, key)
    }

    /// Returns the body to send: with the ownership mark in its labels and annotations.
    pub fn marked(&self, mark: &OwnershipMark) -> Value {
        let mut body = self.body.clone();
        mark.write_to(&mut body);
        body
    }

    /// Returns the same manifest with another body of the same identity, as when holes are filled or a field
    /// is left to another manager.
    #[must_use]
    pub fn with_body(&self, body: Value, holes: Vec<Hole>) -> Self {
        Self { body: normalise(body, &self.object_ref.kind, &holes), holes, ..self.clone() }
    }
}

/// # Source
/// Kubernetes, Object Names and IDs: path segment names.
fn path_segment(name: &str) -> Result<Text, ManifestError> {
    let bad = name == "."
        || name == ".."
        || name.len() > 253
        || name.chars().any(|c| c == '/' || c == '%' || c.is_control() || c.is_whitespace());
    if bad {
        Err(ManifestError::Name { field: "metadata.name", value: name.into() })
    } else {
        Ok(name.into())
    }
}

/// # Source
/// Kubernetes, Object Names and IDs: RFC 1123 label names.
fn dns_label(name: &str) -> Result<Text, ManifestError> {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let good = (1..=63).contains(&name.len())
        && name.bytes().all(|b| alphanumeric(b) || b == b'-')
        && name.bytes().next().is_some_and(alphanumeric)
        && name.bytes().last().is_some_and(alphanumeric);
    if good {
        Ok(name.into())
    } else {
        Err(ManifestError::Name { field: "metadata.namespace", value: name.into() })
    }
}

fn normalise(mut body: Value, kind: &GroupKind, holes: &[Hole]) -> Value {
    for path in SERVER_OWNED {
        if holes.iter().all(|hole| !hole.path.starts_with(&FieldPath::fields(path.iter().copied()))) {
            body.remove_at(path);
        }
    }
    if kind.is("", "Secret") {
        fold_string_data(&mut body, holes);
    }
    if kind.is("rbac.authorization.k8s.io", "ClusterRole") && body.get("aggregationRule").is_some() {
        // The aggregation controller writes the rules.
        body.remove_at(&["rules"]);
    }
    let body = if holes.is_empty() { without_nulls(body) } else { body };
    without_empty_metadata(body)
}

/// `stringData` is write-only: the server folds it into `data`, and so must whoever compares.
///
/// # Source
/// Kubernetes, Secrets: stringData.
fn fold_string_data(body: &mut Value, holes: &[Hole]) {
    if holes.iter().any(|hole| hole.path.starts_with(&FieldPath::fields(["stringData"]))) {
        return;
    }
    let Some(Value::Map(plain)) = body.get("stringData").cloned() else {
        return;
    };
    body.remove_at(&["stringData"]);
    for (name, value) in plain.iter() {
        match value.as_str() {
            Some(text) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(text);
                body.set_at(&["data", name], Value::string(encoded));
            }
            // No server takes it, and what is left out here is not missed.
            None => body.set_at(&["stringData", name], value.clone()),
        }
    }
}

/// Server-side apply refuses or drops a null, so one that is sent is never read back.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Map(map) if has_null(&Value::Map(map.clone())) => Value::Map(
            map.iter()
                .filter(|(_, field)| **field != Value::Null)
                .map(|(name, field)| (name.clone(), without_nulls(field.clone())))
                .collect(),
        ),
        Value::List(items) if items.iter().any(has_null) => {
            Value::list(items.iter().map(|item| without_nulls(item.clone())))
        }
        other => other,
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) => items.iter().any(has_null),
        Value::Map(map) => map.iter().any(|(_, field)| has_null(field)),
        _ => false,
    }
}

fn without_empty_metadata(mut body: Value) -> Value {
    for field in ["labels", "annotations"] {
        if body.at(&["metadata", field]).and_then(Value::as_map).is_some_and(Map::is_empty) {
            body.remove_at(&["metadata", field]);
        }
    }
    body
}

#[cfg(test)]
mod tests;
