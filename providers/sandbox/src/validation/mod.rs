//! Rules that objects must keep.

mod names;

use serde_json::{Value, json};

use crate::crd;
use crate::error::FieldError;
use crate::meta;
use crate::resource::Resource;

/// Every rule that a new object breaks.
pub(crate) fn of_new(resource: &Resource, object: &Value) -> Vec<FieldError> {
    let mut errors = names::check(resource, object);
    errors.extend(of_body(resource, object, None));
    errors
}

/// Every rule that a change breaks.
pub(crate) fn of_update(
    resource: &Resource,
    live: &Value,
    object: &Value,
    subresource: &str,
) -> Vec<FieldError> {
    let mut errors = names::check_metadata(object);
    errors.extend(names::check_finalizers(live, object));
    if subresource != "status" || resource.custom.is_some() {
        errors.extend(of_body(resource, object, Some(live)));
    }
    errors
}

fn of_body(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    if let Some(custom) = &resource.custom {
        return crd::validate(&custom.schema, object);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apiextensions.k8s.io", "customresourcedefinitions") => crd::validate_definition(object, live),
        _ => Vec::new(),
    }
}

/// Changes of what identifies an object.
pub(crate) fn of_system_fields(live: &Value, object: &Value) -> Vec<FieldError> {
    let changed = |field: &&str| live["metadata"][*field] != object["metadata"][*field];
    ["name", "namespace", "uid"]
        .into_iter()
        .filter(changed)
        .map(|field| {
            let value = json!(meta::text(object, field));
            FieldError::invalid(format!("metadata.{field}"), &value, "field is immutable")
        })
        .collect()
}

/// What an object that is valid should still be told.
pub(crate) fn warnings(resource: &Resource, object: &Value) -> Vec<String> {
    if resource.is("apiextensions.k8s.io", "customresourcedefinitions") {
        return crd::unevaluated(object);
    }
    Vec::new()
}
