//! Fields that a schema does not specify.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning>

use serde_json::Value;

use crate::validate::child;

/// What every object has, whatever its schema says.
const TYPE_META: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Returns the paths of the fields of a custom resource that its schema does not specify. Server-side apply refuses an
/// object with such fields.
pub fn unknown_fields(schema: &Value, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        if !TYPE_META.contains(&name.as_str()) {
            field(schema, (name, value), "", &mut found);
        }
    }
    found
}

fn field(schema: &Value, (name, value): (&str, &Value), path: &str, found: &mut Vec<String>) {
    let (property, additional) = (&schema["properties"][name], &schema["additionalProperties"]);
    if property.is_object() {
        walk(property, value, &child(path, name), found);
    } else if additional.is_object() {
        walk(additional, value, &format!("{path}[{name}]"), found);
    } else if *additional != true && schema["x-kubernetes-preserve-unknown-fields"] != true {
        found.push(child(path, name));
    }
}

fn walk(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        // Of anything else the type is wrong, which is another fault.
        Value::Object(fields) if schema["type"] == "object" => {
            let is_embedded = schema["x-kubernetes-embedded-resource"] == true;
            for (name, value) in fields {
                if !(is_embedded && TYPE_META.contains(&name.as_str())) {
                    field(schema, (name, value), path, found);
                }
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            for (index, item) in items.iter().enumerate() {
                walk(&schema["items"], item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}
