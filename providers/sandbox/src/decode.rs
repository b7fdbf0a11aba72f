//! Reads an object as its kind: refuses what has another shape, drops unknown fields, and leaves what Kubernetes' own
//! types would keep.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>

use engine_kinds::builtin::{self, BuiltinKind};
use serde_json::{Map, Value, json};

use crate::crd;
use crate::error::{ApiError, ApiResult, FieldError, GroupKind};
use crate::form::{self, Reading};
use crate::request::WriteOptions;
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
        return Err(without_kind(resource, &Value::Object(map.clone()).to_string()));
    }
    let wanted = (expected.as_str(), resource.kind.as_str());
    let is_version = |known: &BuiltinKind| known.kind == resource.kind && known.api_version() == api_version;
    let is_other_version = kind == resource.kind && builtin::all().iter().any(is_version);
    if resource.custom.is_none() && !is_other_version {
        let object = Value::Object(map.clone());
        if let Some(why) = other_kind(wanted, &object) {
            return Err(unreadable(wanted, &object, &why));
        }
    }
    if !api_version.is_empty() && api_version != *expected {
        return Err(ApiError::BadRequest(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if kind != resource.kind && resource.custom.is_some() {
        let error = FieldError::invalid("kind", &json!(kind), &format!("must be {}", resource.kind));
        let name =
            map.get("metadata").and_then(|metadata| metadata["name"].as_str()).unwrap_or_default().to_owned();
        let kind = GroupKind { group: resource.group.clone(), kind };
        return Err(ApiError::Invalid { kind, name, errors: vec![error] });
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

/// The error of an object, as text, that does not say its kind.
fn without_kind(resource: &Resource, shown: &str) -> ApiError {
    let mut start: String = shown.chars().take(30).collect();
    if start.len() < shown.len() {
        start.push_str(" ...");
    }
    ApiError::BadRequest(format!(
        "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{shown}' ({start})",
        resource.kind
    ))
}

/// Why an object cannot be read as one of a built-in kind, if it says that it is of another one; in the words of Go.
pub(crate) fn other_kind((api_version, kind): (&str, &str), object: &Value) -> Option<String> {
    let stated = |key: &str| object[key].as_str().filter(|text| !text.is_empty());
    let (found_version, found) =
        (stated("apiVersion").unwrap_or(api_version), stated("kind").unwrap_or(kind));
    if (found_version, found) == (api_version, kind) {
        return None;
    }
    let is_known =
        builtin::all().iter().any(|known| known.kind == found && known.api_version() == found_version);
    if !is_known {
        let registry = "pkg/runtime/scheme.go:111";
        return Some(format!(
            "no kind {found:?} is registered for version {found_version:?} in scheme {registry:?}"
        ));
    }
    let group = api_version.split_once('/').map_or("core", |(group, _)| group);
    let package = group.split('.').next().unwrap_or(group);
    let version = found_version.rsplit('/').next().unwrap_or(found_version);
    Some(format!("converting ({version}.{found}) to ({package}.{kind}): unknown conversion"))
}

/// The refusal of a body that cannot be read as an object of the kind that it claims.
pub(crate) fn unreadable((api_version, kind): (&str, &str), object: &Value, why: &str) -> ApiError {
    let version = object["apiVersion"].as_str().filter(|text| !text.is_empty()).unwrap_or(api_version);
    let version = version.rsplit('/').next().unwrap_or(version);
    let found = object["kind"].as_str().filter(|text| !text.is_empty()).unwrap_or(kind);
    ApiError::BadRequest(format!("{found} in version {version:?} cannot be handled as a {kind}: {why}"))
}

/// Reads an object as the kind of `resource`. Returns the paths of unknown fields, which are dropped.
///
/// # Errors
/// What is wrong, if a field has the wrong JSON type.
pub(crate) fn read(resource: &Resource, object: &mut Value) -> Result<Vec<String>, String> {
    let found = match form::of(resource) {
        Some(form) => form::read(form, object, ""),
        None => read_custom(resource, object),
    };
    match found.fault {
        Some(fault) => Err(fault.text().to_owned()),
        None => Ok(found.unknown),
    }
}

/// Reads the body of a create or a replacement. Returns warnings on what is not as it should be.
///
/// # Errors
/// If it is another kind of object, if a field has the wrong JSON type, or if strictness refuses it.
pub(crate) fn read_body(
    resource: &Resource,
    object: &mut Value,
    options: &WriteOptions,
) -> ApiResult<Vec<String>> {
    check_kind(resource, object)?;
    read(resource, object)
        .and_then(|unknown| options.judge(&unknown))
        .map_err(|why| unreadable((&resource.api_version, &resource.kind), object, &why))
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

/// Gives a built-in object the form in which it comes back from the store.
pub(crate) fn settle_stored_form(resource: &Resource, object: &mut Value) {
    if let Some(form) = form::of(resource) {
        form::write(form, object);
        form::store(form, object);
    }
}

/// The object of a kind before anything is stated: what creating one is held against.
pub(crate) fn blank(resource: &Resource) -> Value {
    let mut object = json!({});
    settle_form(resource, &mut object);
    object
}
