//! Reads an object as its kind: refuses what has another shape, drops unknown fields, and leaves what Kubernetes' own
//! types would keep.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>

use serde_json::{Map, Value, json};

use crate::crd;
use crate::error::{ApiError, ApiResult};
use crate::form::{self, Reading};
use crate::request::FieldValidation;
use crate::resource::Resource;

/// Checks that a body is an object of this resource's kind and version, in the words of kube-apiserver.
///
/// # Errors
/// If it is not.
pub(crate) fn check_kind(resource: &Resource, object: &mut Value) -> ApiResult<()> {
    let Some(map) = object.as_object_mut() else {
        let text: String = object.to_string().chars().take(30).collect();
        return Err(ApiError::BadRequest(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: \
             json: cannot unmarshal into Go value ({text})",
            resource.kind
        )));
    };
    let expected = &resource.api_version;
    let text = |map: &Map<String, Value>, key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(ApiError::BadRequest(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go struct field .{key} of \
             type string",
            type_name(other)
        ))),
    };
    let (api_version, kind) = (text(map, "apiVersion")?, text(map, "kind")?);
    if kind.is_empty() && resource.custom.is_some() {
        let shown = Value::Object(map.clone());
        return Err(ApiError::BadRequest(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{shown}'",
            resource.kind
        )));
    }
    if !api_version.is_empty() && api_version != *expected {
        return Err(ApiError::BadRequest(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if !kind.is_empty() && kind != resource.kind {
        return Err(ApiError::BadRequest(format!(
            "{kind} in version {:?} cannot be handled as a {}: the kinds differ",
            resource.version, resource.kind
        )));
    }
    map.insert("apiVersion".into(), json!(expected));
    map.insert("kind".into(), json!(resource.kind));
    Ok(())
}

/// Reads an object as the kind of `resource`. Returns warnings on what was dropped.
///
/// # Errors
/// If a field has the wrong JSON type, or is unknown and `validation` is strict.
pub(crate) fn read(
    resource: &Resource,
    object: &mut Value,
    validation: FieldValidation,
) -> ApiResult<Vec<String>> {
    let found = match form::of(resource) {
        Some(form) => form::read(form, object, ""),
        None => read_custom(resource, object),
    };
    let handled = |what: &str| {
        ApiError::BadRequest(format!(
            "{kind} in version {:?} cannot be handled as a {kind}: {what}",
            resource.version,
            kind = resource.kind
        ))
    };
    if let Some(fault) = &found.fault {
        return Err(handled(fault.text()));
    }
    let unknown: Vec<_> = found.unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Strict if !unknown.is_empty() => {
            Err(handled(&format!("strict decoding error: {}", unknown.join(", "))))
        }
        FieldValidation::Strict | FieldValidation::Warn => Ok(unknown),
    }
}

// The metadata of custom resources is read as strictly as that of built-in kinds; the rest is for their schema.
fn read_custom(resource: &Resource, object: &mut Value) -> Reading {
    let mut found = match object.get_mut("metadata") {
        Some(metadata) => form::read(&form::METADATA, metadata, ""),
        None => Reading::default(),
    };
    found.unknown.iter_mut().for_each(|path| *path = format!("metadata.{path}"));
    if let Some(custom) = &resource.custom {
        found.unknown.extend(crd::prune_object(&custom.schema, object));
    }
    found
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Gives a built-in object the form in which Kubernetes' types would write it: fields that every object of the kind
/// has are there, zero values and empty lists that would not be written are not.
pub(crate) fn settle_form(resource: &Resource, object: &mut Value) {
    if let Some(form) = form::of(resource) {
        form::write(form, object);
    }
}

/// The object of a kind before anything is stated: what creating one is held against.
pub(crate) fn blank(resource: &Resource) -> Value {
    let mut object = json!({});
    settle_form(resource, &mut object);
    object
}
