//! The four ways to patch an object.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-update>

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Writing, Written, create, pointer, strategic, strategy, update};
use crate::cluster::Cluster;
use crate::decode;
use crate::defaults;
use crate::error::{ApiError, ApiResult, FieldError, GroupKind};
use crate::form::{self, Form};
use crate::json::{self, Parsed};
use crate::merge::{self, MergeError, without_nulls};
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

impl PatchKind {
    /// Reads a patch.
    ///
    /// # Errors
    /// 400 if it is no JSON, or of another type.
    pub fn read(self, body: &[u8]) -> ApiResult<Parsed> {
        let wrong = |why: String| match self {
            Self::Json | Self::Merge => ApiError::BadRequest(format!("error decoding patch: {why}")),
            Self::Strategic => ApiError::BadRequest(why),
        };
        let parsed = json::parse(body).map_err(wrong)?;
        match (self, &parsed.value) {
            (Self::Merge, Value::Null) => Err(ApiError::BadRequest("Invalid JSON Patch".into())),
            (Self::Json, _) | (_, Value::Object(_) | Value::Null) => Ok(parsed),
            (_, other) => {
                let found = json::type_name(other);
                let text =
                    format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}");
                Err(wrong(text))
            }
        }
    }

    /// Applies a patch to an object of a form.
    ///
    /// # Errors
    /// 422 if it does not fit; 400 or 500 if a directive is wrong.
    pub(super) fn apply(self, form: Option<&Form>, object: &mut Value, patch: &Value) -> ApiResult<()> {
        match self {
            Self::Json => pointer::apply(object, patch),
            Self::Merge => {
                merge_patch(object, patch);
                Ok(())
            }
            Self::Strategic => strategic::apply(form, object, patch),
        }
    }
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
    kind.apply(form::of(resource), &mut object, body)?;
    let shown = if kind == PatchKind::Strategic { body.clone() } else { object.clone() };
    let misfit = |what: String| misfit(&shown, &what);
    let wanted = (resource.api_version.as_str(), resource.kind.as_str());
    if let Some(what) = decode::other_kind(wanted, &object).filter(|_| resource.custom.is_none()) {
        return Err(misfit(what));
    }
    decode::check_kind(resource, &mut object).map_err(|error| misfit(error.to_string()))?;
    let unknown = decode::read(resource, &mut object).map_err(misfit)?;
    let warnings = writing.options.judge(&unknown).map_err(misfit)?;
    create::place(resource, &at.namespace, &mut object)?;
    update::check_name(at, &object)?;
    update::check_version(at, &live, &object)?;
    let object = update::tracked(resource, &live, object, writing);
    update::finish(cluster, resource, at, object, writing, warnings)
}

/// The refusal of a patch whose result is no object of the kind.
pub(super) fn misfit(shown: &Value, what: &str) -> ApiError {
    let kind = GroupKind { group: String::new(), kind: String::new() };
    let error = FieldError::invalid("patch", &json!(shown.to_string()), what);
    ApiError::Invalid { kind, name: String::new(), errors: vec![error] }
}

/// Merges by RFC 7386: maps entry by entry, null removes, everything else replaces. As in kube-apiserver, a list that
/// replaces a map keeps the nulls inside of it.
pub(super) fn merge_patch(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (key, value) in patch {
        match target.get_mut(key) {
            _ if value.is_null() => drop(target.remove(key)),
            Some(live @ Value::Object(_)) => merge_patch(live, value),
            _ => drop(target.insert(key.clone(), without_nulls(value))),
        }
    }
}

/// Server-side apply: creates the object or merges into it. With the configuration comes what is written twice in it.
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
    (applied, twice): (Value, Option<String>),
    writing: &Writing<'_>,
) -> ApiResult<Written> {
    check_applied(&resource.api_version, &resource.kind, &applied)?;
    let live = match cluster.live(resource, &at.namespace, &at.name) {
        Ok(live) => Some(live),
        Err(missing) if !writing.subresource.is_empty() => return Err(missing),
        Err(_) => None,
    };
    let time = meta::now();
    let writer = strategy::writer(resource, writing, &time);
    let mut object =
        merge::apply(&resource.schema, live.as_deref(), &applied, &writer, writing.options.force)
            .map_err(|error| merge_failure(&resource.api_version, &resource.kind, &applied, error))?;
    decode::read(resource, &mut object).map_err(|what| unconvertible(resource, &object, &what))?;
    let warnings = judge_duplicate(writing, twice)?;
    defaults::apply(resource, &mut object);
    decode::settle_form(resource, &mut object);
    let uid = meta::uid(&object);
    if live.is_none() && !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(ApiError::Conflict { resource: at.resource.clone(), name: at.name.clone(), why });
    }
    create::place(resource, &at.namespace, &mut object)?;
    update::check_name(at, &object)?;
    if live.is_some() {
        return update::finish(cluster, resource, at, object, writing, warnings);
    }
    let mut written = create::insert(cluster, resource, &at.namespace, object, writing)?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

fn judge_duplicate(writing: &Writing<'_>, twice: Option<String>) -> ApiResult<Vec<String>> {
    match (writing.options.validation, twice) {
        (FieldValidation::Strict, Some(twice)) => Err(ApiError::BadRequest(format!(
            "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {twice}"
        ))),
        (FieldValidation::Warn, Some(twice)) => Ok(vec![twice]),
        _ => Ok(Vec::new()),
    }
}

/// Checks what an applied configuration says it is.
///
/// # Errors
/// 400 if it is of another kind or version, or has managed fields.
pub(super) fn check_applied(api_version: &str, kind: &str, applied: &Value) -> ApiResult<()> {
    let text = |key: &str| applied[key].as_str().unwrap_or_default();
    if (text("apiVersion"), text("kind")) != (api_version, kind) {
        let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
        let text = format!("invalid object type: {group}/{version}, Kind={}", text("kind"));
        return Err(ApiError::BadRequest(text));
    }
    if applied["metadata"]["managedFields"].is_array() {
        return Err(ApiError::BadRequest("metadata.managedFields must be nil".into()));
    }
    Ok(())
}

fn type_of(api_version: &str, kind: &str, object: &Value) -> String {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    format!("({}/{}; {group}/{version}, Kind={kind})", meta::namespace(object), meta::name(object))
}

fn unconvertible(resource: &Resource, object: &Value, what: &str) -> ApiError {
    let named = type_of(&resource.api_version, &resource.kind, object);
    let kind = named.rsplit("; ").next().unwrap_or_default().trim_end_matches(')');
    ApiError::Bare(format!(
        "failed to convert new object {named} to proper version: unable to convert unstructured object to {kind}: \
         error decoding from json: {what}"
    ))
}

/// What becomes of a merge that failed.
pub(super) fn merge_failure(api_version: &str, kind: &str, applied: &Value, error: MergeError) -> ApiError {
    match error {
        MergeError::Conflict(conflicts) => ApiError::ApplyConflict(conflicts),
        MergeError::Typed(what) => {
            let named = type_of(api_version, kind, applied);
            ApiError::Bare(format!("failed to create typed patch object {named}: {what}"))
        }
    }
}
