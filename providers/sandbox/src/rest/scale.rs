//! The scale subresource: replicas of any kind that has them, in one shape.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/>

use std::sync::Arc;

use serde_json::{Value, json};

use super::{PatchKind, Writing, patch, pointer, update};
use crate::cluster::Cluster;
use crate::decode;
use crate::error::{ApiError, ApiResult};
use crate::meta;
use crate::request::FieldValidation;
use crate::resource::Resource;
use crate::store::Key;

/// Where a kind keeps its replicas and selector, as JSON pointers.
#[derive(Debug, Clone)]
pub(crate) struct ScalePaths {
    pub spec: String,
    pub status: String,
    pub selector: Option<String>,
}

impl ScalePaths {
    fn of(resource: &Resource) -> Self {
        let declared = resource.custom.as_ref().and_then(|custom| custom.scale.clone());
        declared.unwrap_or_else(|| Self {
            spec: "/spec/replicas".into(),
            status: "/status/replicas".into(),
            selector: Some("/spec/selector".into()),
        })
    }
}

/// Reads the scale of an object.
///
/// # Errors
/// If the object is absent.
pub(crate) fn read_scale(cluster: &Cluster, resource: &Resource, at: &Key) -> ApiResult<Value> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    Ok(scale_of(resource, &live))
}

fn scale_of(resource: &Resource, object: &Value) -> Value {
    let paths = ScalePaths::of(resource);
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64);
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if !meta::text(object, field).is_empty() {
            metadata[field] = object["metadata"][field].clone();
        }
    }
    let mut scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {}, "status": { "replicas": number(&paths.status).unwrap_or(0) },
    });
    if let Some(replicas) = number(&paths.spec).filter(|replicas| *replicas != 0) {
        scale["spec"]["replicas"] = json!(replicas);
    }
    let selector = paths.selector.and_then(|path| object.pointer(&path));
    let text = selector.map(|selector| match selector {
        Value::String(text) => text.clone(),
        other => selector_text(other),
    });
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        scale["status"]["selector"] = json!(text);
    }
    scale
}

fn selector_text(selector: &Value) -> String {
    let labels = selector.get("matchLabels").unwrap_or(selector);
    let equal = labels
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let mut parts: Vec<String> = equal.collect();
    for expression in meta::items(&selector["matchExpressions"]) {
        let key = expression["key"].as_str().unwrap_or_default();
        let values = meta::strings(&expression["values"]).join(",");
        parts.push(match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.join(",")
}

/// Writes the replicas of an object from a Scale or a patch of one.
///
/// # Errors
/// 404 if the object is absent, 400 if the body is no Scale, 409 if it names another version.
pub(crate) fn write_scale(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    (kind, body): (Option<PatchKind>, &Value),
    writing: &Writing<'_>,
) -> ApiResult<Value> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    let mut scale = scale_of(resource, &live);
    match kind {
        None => scale = body.clone(),
        Some(PatchKind::Json) => pointer::apply(&mut scale, body)?,
        Some(PatchKind::Merge | PatchKind::Strategic) => patch::merge_patch(&mut scale, body),
    }
    update::check_version(at, &live, &scale)?;
    let replicas = scale["spec"].get("replicas").cloned().unwrap_or(json!(0));
    if replicas.as_i64().is_none_or(|replicas| replicas < 0) {
        return Err(ApiError::BadRequest(format!(
            "Scale: spec.replicas must be a number from 0 up, found {replicas}"
        )));
    }
    let mut object = Value::clone(&live);
    let paths = ScalePaths::of(resource);
    set_pointer(&mut object, &paths.spec, replicas);
    decode::read(resource, &mut object, FieldValidation::Ignore)?;
    let object = update::tracked(resource, &live, object, writing);
    let written = update::finish(cluster, resource, at, object, writing, Vec::new())?;
    Ok(scale_of(resource, &written.object))
}

fn set_pointer(object: &mut Value, path: &str, value: Value) {
    let mut target = object;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if !target.is_object() {
            *target = json!({});
        }
        let Value::Object(map) = target else { return };
        target = map.entry(part).or_insert(Value::Null);
    }
    *target = value;
}
