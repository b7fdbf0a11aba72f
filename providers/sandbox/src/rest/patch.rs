//! The four ways to patch an object.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-update>

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Writing, Written, create, pointer, strategic, strategy, update};
use crate::cluster::Cluster;
use crate::decode;
use crate::defaults;
use crate::error::{ApiError, ApiResult, FieldError, GroupKind};
use crate::merge::{self, MergeError};
use crate::meta;
use crate::request::FieldValidation;
use crate::resource::Resource;
use crate::store::Key;

/// The patches that start from the live object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Merge by the keys of Kubernetes' lists; built-in kinds only.
    Strategic,
}

/// Patches an object that exists.
///
/// # Errors
/// As kube-apiserver: 404 if it is absent, 422 if the patch does not fit, 409 if it names another version.
pub(crate) fn patch(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    (kind, body): (PatchKind, &Value),
    writing: &Writing<'_>,
) -> ApiResult<Written> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    let mut object = Value::clone(&live);
    match kind {
        PatchKind::Json => pointer::apply(&mut object, body)?,
        PatchKind::Merge => merge_patch(&mut object, body),
        PatchKind::Strategic if resource.custom.is_some() => {
            let accepted =
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return Err(ApiError::UnsupportedMediaType(accepted.into()));
        }
        PatchKind::Strategic => strategic::apply(&resource.schema, &mut object, body)?,
    }
    decode::check_kind(resource, &mut object)?;
    let warnings = decode::read(resource, &mut object, writing.options.validation)
        .map_err(|error| unreadable(resource, &object, error))?;
    update::check_version(at, &live, &object)?;
    let object = update::tracked(resource, &live, object, writing);
    update::finish(cluster, resource, at, object, writing, warnings)
}

// A patch that makes a custom resource unreadable is itself called invalid.
fn unreadable(resource: &Resource, object: &Value, error: ApiError) -> ApiError {
    match error {
        ApiError::BadRequest(text) if resource.custom.is_some() => {
            let why = text.split_once("cannot be handled as a ").and_then(|(_, rest)| rest.split_once(": "));
            let detail = why.map_or(text.as_str(), |(_, why)| why);
            let error = FieldError::invalid("patch", &Value::from(object.to_string()), detail);
            let kind = GroupKind { group: String::new(), kind: String::new() };
            ApiError::Invalid { kind, name: String::new(), errors: vec![error] }
        }
        other => other,
    }
}

/// Merges by RFC 7386: maps entry by entry, null removes, everything else replaces.
pub(super) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge_patch(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Server-side apply: creates the object or merges into it.
///
/// # Errors
/// As kube-apiserver: 400 for another version, 409 for conflicts with other managers or a uid without an object, 500 for
/// fields that the kind does not have.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/>
pub(crate) fn apply(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    mut applied: Value,
    writing: &Writing<'_>,
) -> ApiResult<Written> {
    check_applied(resource, &mut applied)?;
    let live = match cluster.live(resource, &at.namespace, &at.name) {
        Ok(live) => Some(live),
        Err(missing) if !writing.subresource.is_empty() => return Err(missing),
        Err(_) => None,
    };
    let uid = meta::uid(&applied);
    if live.is_none() && !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(ApiError::Conflict { resource: at.resource.clone(), name: at.name.clone(), why });
    }
    if let Some(live) = &live {
        update::check_version(at, live, &applied)?;
    }
    let time = meta::now();
    let writer = strategy::writer(resource, writing, &time);
    let merged = merge::apply(&resource.schema, live.as_deref(), &applied, &writer, writing.options.force)
        .map_err(|error| merge_failure(resource, &applied, error))?;
    let mut object = merged;
    let warnings = decode::read(resource, &mut object, FieldValidation::Warn)?;
    defaults::apply(resource, &mut object);
    decode::settle_form(resource, &mut object);
    create::place(resource, &at.namespace, &mut object)?;
    if !meta::name(&object).is_empty() && meta::name(&object) != at.name {
        return Err(ApiError::BadRequest(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            meta::name(&object),
            at.name
        )));
    }
    if live.is_some() {
        return update::finish(cluster, resource, at, object, writing, warnings);
    }
    create::insert(cluster, resource, &at.namespace, object, writing)
}

fn check_applied(resource: &Resource, applied: &mut Value) -> ApiResult<()> {
    let text = |key: &str| applied[key].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if kind.is_empty() {
        return Err(ApiError::BadRequest(format!("Object 'Kind' is missing in '{applied}'")));
    }
    if api_version != resource.api_version {
        return Err(ApiError::BadRequest(format!(
            "Incorrect version specified in apply patch. Specified patch version: {api_version}, expected: {}",
            resource.api_version
        )));
    }
    if !meta::items(&applied["metadata"]["managedFields"]).is_empty() {
        return Err(ApiError::BadRequest("metadata.managedFields must be nil".into()));
    }
    decode::check_kind(resource, applied)
}

fn merge_failure(resource: &Resource, applied: &Value, error: MergeError) -> ApiError {
    match error {
        MergeError::Conflict(conflicts) => ApiError::ApplyConflict(conflicts),
        MergeError::Typed(what) => ApiError::Bare(format!(
            "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {what}",
            meta::namespace(applied),
            meta::name(applied),
            resource.group,
            resource.version,
            resource.kind
        )),
    }
}
