//! The scale subresource: replicas of any kind that has them, in one shape.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/>

use std::sync::Arc;

use engine_kinds::schema::{self, MapRelation, Scalar, Type};
use serde_json::{Value, json};

use super::{PatchKind, Writing, patch, update};
use crate::cluster::Cluster;
use crate::decode;
use crate::error::{ApiError, ApiResult, FieldError, GroupKind};
use crate::json;
use crate::merge::{self, SCALE_VERSION, Writer};
use crate::meta;
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
    fn replicas(&self) -> Vec<&str> {
        self.spec.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// What is wrong with the replicas of an object that declares where they are.
    pub fn fault(&self, object: &Value) -> Option<FieldError> {
        let field = self.spec.replace('/', ".");
        let replicas =
            object.pointer(&self.spec).filter(|replicas| replicas.as_i64().is_some_and(|count| count < 0))?;
        Some(FieldError::invalid(field, replicas, "should be a non-negative integer"))
    }

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
    let paths = ScalePaths::of(resource);
    if resource.custom.is_some() && live.pointer(&paths.spec).is_none() {
        let field = paths.spec.replace('/', ".");
        return Err(ApiError::Internal(format!("the spec replicas field {field:?} does not exist")));
    }
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

/// Replaces the scale of an object.
///
/// # Errors
/// 404 if the object is absent, 400 if the body is no Scale, 409 if it names another version, 422 for negative replicas.
pub(crate) fn replace_scale(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    mut scale: Value,
    writing: &Writing<'_>,
) -> ApiResult<Value> {
    let wanted = (SCALE_VERSION, "Scale");
    if let Some(why) = decode::other_kind(wanted, &scale) {
        return Err(decode::unreadable(wanted, &scale, &why));
    }
    check_form(&scale).map_err(|why| decode::unreadable(wanted, &scale, &why))?;
    scale["apiVersion"] = json!(SCALE_VERSION);
    scale["kind"] = json!("Scale");
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    update_scale(cluster, resource, (at, &live), scale, writing)
}

/// Patches the scale of an object.
///
/// # Errors
/// As [`replace_scale`]; 422 if the patch does not fit.
pub(crate) fn patch_scale(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    (kind, body): (PatchKind, &Value),
    writing: &Writing<'_>,
) -> ApiResult<Value> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    let mut scale = owned_scale(resource, &live);
    kind.apply(None, &mut scale, body)?;
    let shown = if kind == PatchKind::Strategic { body } else { &scale };
    check_form(&scale).map_err(|what| patch::misfit(shown, &what))?;
    update_scale(cluster, resource, (at, &live), scale, writing)
}

/// Applies a configuration of the scale of an object.
///
/// # Errors
/// As [`replace_scale`]; 409 if another manager owns the replicas.
pub(crate) fn apply_scale(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    applied: &Value,
    writing: &Writing<'_>,
) -> ApiResult<Value> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    patch::check_applied(SCALE_VERSION, "Scale", applied)?;
    let before = owned_scale(resource, &live);
    let time = meta::now();
    let writer = writer(writing, &time);
    let scale = merge::apply(&schema(), Some(&before), applied, &writer, writing.options.force)
        .map_err(|error| patch::merge_failure(SCALE_VERSION, "Scale", applied, error))?;
    finish(cluster, resource, (at, &live), &scale, writing)
}

fn writer<'a>(writing: &'a Writing<'_>, time: &'a str) -> Writer<'a> {
    let manager = &writing.options.manager;
    Writer { manager, api_version: SCALE_VERSION, subresource: writing.subresource, time, resets: &[] }
}

fn schema() -> Type {
    let number = || Type::scalar(Scalar::Numeric);
    let text = || Type::scalar(Scalar::String);
    let object = |fields: Vec<(&str, Type)>| Type::object(fields, MapRelation::Separable);
    object(vec![
        ("apiVersion", text()),
        ("kind", text()),
        ("metadata", schema::object_meta()),
        ("spec", object(vec![("replicas", number())])),
        ("status", object(vec![("replicas", number()), ("selector", text())])),
    ])
}

// What is wrong with the types of a Scale's fields, in the words of Go.
fn check_form(scale: &Value) -> Result<(), String> {
    let replicas = &scale["spec"]["replicas"];
    if replicas.is_null() || replicas.is_i64() {
        return Ok(());
    }
    let found = match replicas {
        Value::Number(number) => format!("number {number}"),
        other => json::type_name(other).to_owned(),
    };
    Err(format!("json: cannot unmarshal {found} into Go struct field ScaleSpec.spec.replicas of type int32"))
}

// The scale of an object, with the managed fields that fall to it.
fn owned_scale(resource: &Resource, live: &Value) -> Value {
    let paths = ScalePaths::of(resource);
    let mut scale = scale_of(resource, live);
    let entries = merge::entries_of_scale(&resource.schema, live, &paths.replicas());
    meta::set(&mut scale, "managedFields", entries);
    scale
}

fn update_scale(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    (at, live): (&Key, &Value),
    mut scale: Value,
    writing: &Writing<'_>,
) -> ApiResult<Value> {
    update::check_name(at, &scale)?;
    update::check_version(at, live, &scale)?;
    // As the server encodes a Scale, it has no replicas where they are 0: who scales to nothing comes to own nothing.
    if let Some(spec) = scale["spec"].as_object_mut()
        && spec.get("replicas").and_then(Value::as_i64) == Some(0)
    {
        spec.remove("replicas");
    }
    let time = meta::now();
    let before = owned_scale(resource, live);
    let scale = merge::track_update(&schema(), Some(&before), scale, &writer(writing, &time));
    finish(cluster, resource, (at, live), &scale, writing)
}

fn finish(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    (at, live): (&Key, &Value),
    scale: &Value,
    writing: &Writing<'_>,
) -> ApiResult<Value> {
    let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
    // The replicas of a custom resource are judged with the rest of it.
    if replicas < 0 && resource.custom.is_none() {
        let detail = "must be greater than or equal to 0";
        let error = FieldError::invalid("spec.replicas", &json!(replicas), detail);
        let kind = GroupKind { group: "autoscaling".into(), kind: "Scale".into() };
        return Err(ApiError::Invalid { kind, name: at.name.clone(), errors: vec![error] });
    }
    let paths = ScalePaths::of(resource);
    let of_scale = (&scale["metadata"]["managedFields"], resource.api_version.as_str());
    let entries = merge::entries_with_scale((&resource.schema, live), &paths.replicas(), of_scale);
    let mut object = live.clone();
    set_pointer(&mut object, &paths.spec, json!(replicas));
    meta::set(&mut object, "managedFields", entries);
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
