//! Drops the fields that a schema does not specify.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning>

use serde_json::{Value, json};

use crate::form;

/// What every object has, whatever its schema says.
const TYPE_META: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Prunes a custom resource by the schema of its version. Returns the paths of what is gone, sorted.
pub(crate) fn prune_object(schema: &Value, object: &mut Value) -> Vec<String> {
    let mut gone = Vec::new();
    let Some(fields) = object.as_object_mut() else { return gone };
    let own: Vec<_> = TYPE_META.iter().filter_map(|name| Some((*name, fields.remove(*name)?))).collect();
    walk(schema, object, "", &mut gone);
    drop_nulls(schema, object);
    if let Some(fields) = object.as_object_mut() {
        fields.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    gone.sort();
    gone
}

/// Prunes a value by its schema.
pub(super) fn prune(schema: &Value, value: &mut Value) {
    walk(schema, value, "", &mut Vec::new());
}

fn walk(schema: &Value, value: &mut Value, path: &str, gone: &mut Vec<String>) {
    let keeps_unknown = schema["x-kubernetes-preserve-unknown-fields"] == true;
    let is_embedded = schema["x-kubernetes-embedded-resource"] == true;
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if is_embedded && TYPE_META.contains(&name.as_str()) {
                if name == "metadata" {
                    let unknown = form::read(&form::METADATA, value, "").unknown;
                    gone.extend(unknown.into_iter().map(|name| format!("{at}.{name}")));
                }
                return true;
            }
            let (property, additional) =
                (&schema["properties"][name.as_str()], &schema["additionalProperties"]);
            let is_known = !property.is_null() || additional.is_object() || *additional == true;
            if is_known {
                walk(if property.is_null() { additional } else { property }, value, &at, gone);
            } else if !keeps_unknown {
                gone.push(at);
            }
            is_known || keeps_unknown
        }),
        Value::Array(items) => {
            // The elements of a list whose fields are kept may have unknown fields as well.
            for (index, item) in items.iter_mut().enumerate() {
                let at = format!("{path}[{index}]");
                if keeps_unknown && !schema["items"].is_object() {
                    continue;
                }
                walk(&schema["items"], item, &at, gone);
            }
        }
        // A number without a fraction is written without one.
        Value::Number(number) => {
            let whole = number.as_f64().filter(|_| number.is_f64()).filter(|number| number.fract() == 0.0);
            if let Some(number) = whole.filter(|number| number.abs() < 1e15) {
                #[expect(clippy::cast_possible_truncation, reason = "the number is whole and small enough")]
                let whole = number as i64;
                *value = json!(whole);
            }
        }
        _ => {}
    }
}

// A null is no value, unless the schema takes it for one; a default stands in for it later.
fn drop_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let property = &schema["properties"][name.as_str()];
            let schema = if property.is_null() { &schema["additionalProperties"] } else { property };
            if value.is_null() && schema.is_object() {
                return schema["nullable"] == true || !schema["default"].is_null();
            }
            drop_nulls(schema, value);
            true
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(&schema["items"], item)),
        _ => {}
    }
}
