//! Objects inside of custom resources.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#rawextension>

use serde_json::Value;

use engine_structural::validate::child;

use crate::error::FieldError;
use crate::validation::{dns_label_fault, metadata_errors};

/// What is wrong with the kinds and the metadata of embedded objects.
pub(super) fn check(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(fields) => {
            if schema["x-kubernetes-embedded-resource"] == true {
                check_object(value, path, errors);
            }
            for (name, value) in fields {
                let property = &schema["properties"][name.as_str()];
                if property.is_object() {
                    check(property, value, &child(path, name), errors);
                } else if schema["additionalProperties"].is_object() {
                    check(&schema["additionalProperties"], value, &format!("{path}[{name}]"), errors);
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            for (index, item) in items.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{index}]"), errors);
            }
        }
        _ => {}
    }
}

fn check_object(object: &Value, path: &str, errors: &mut Vec<FieldError>) {
    for field in ["apiVersion", "kind"] {
        let place = format!("{path}.{field}");
        match object.get(field) {
            None => errors.push(FieldError::required(place, "")),
            Some(Value::String(text)) if text.is_empty() => {
                errors.push(FieldError::invalid(place, &object[field], "must not be empty"));
            }
            Some(Value::String(text)) => {
                let fault = dns_label_fault(&text.to_lowercase()).filter(|_| field == "kind");
                if let Some(fault) = fault {
                    let detail = format!("may have mixed case, but should otherwise match: {fault}");
                    errors.push(FieldError::invalid(place, &object[field], &detail));
                }
            }
            Some(other) => errors.push(FieldError::invalid(place, other, "must be a string")),
        }
    }
    errors.extend(metadata_errors(object).into_iter().map(|error| error.below(path)));
}
