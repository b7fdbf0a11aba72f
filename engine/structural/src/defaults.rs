//! The defaults that a schema states.

use serde_json::{Map, Value};

/// Fills in the defaults that a schema states.
///
/// # Source
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting>
pub fn apply_defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => default_map(schema, map),
        Value::Array(items) => items.iter_mut().for_each(|item| apply_defaults(&schema["items"], item)),
        _ => {}
    }
}

fn default_map(schema: &Value, map: &mut Map<String, Value>) {
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        let is_unset = map.get(name).is_none_or(|found| found.is_null() && property["nullable"] != true);
        if let Some(default) = property.get("default").filter(|_| is_unset) {
            map.insert(name.clone(), default.clone());
        }
        if let Some(found) = map.get_mut(name) {
            apply_defaults(property, found);
        }
    }
    if schema["additionalProperties"].is_object() {
        let known = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
        let rest = map.iter_mut().filter(|(name, _)| !known(name));
        rest.for_each(|(_, found)| apply_defaults(&schema["additionalProperties"], found));
    }
}
