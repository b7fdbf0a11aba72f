//! Checks custom resources against the schema of their version.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation>

use serde_json::{Value, json};

use crate::error::FieldError;
use crate::meta;

/// Every rule of the schema that the object breaks.
pub(crate) fn validate(schema: &Value, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check(schema, object, "", &mut errors);
    errors
}

fn check(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if value.is_null() && (schema["nullable"] == true || path.is_empty()) {
        return;
    }
    if !fits(schema, value) {
        let found = type_of(value);
        let wanted = if schema["x-kubernetes-int-or-string"] == true {
            "integer,string"
        } else {
            schema["type"].as_str().unwrap_or_default()
        };
        let detail = format!("{path} in body must be of type {wanted}: {found:?}");
        errors.push(FieldError::wrong_type(path, &json!(found), &detail));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        let texts: Vec<_> =
            allowed.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        errors.push(FieldError::unsupported(path, value, &texts));
    }
    match value {
        Value::Object(_) => check_object(schema, value, path, errors),
        Value::Array(items) => check_list(schema, items, path, errors),
        Value::String(text) => check_text(schema, text, path, errors),
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or(0.0), value, path, errors),
        _ => {}
    }
    check_combinations(schema, value, path, errors);
}

fn fits(schema: &Value, value: &Value) -> bool {
    if schema["x-kubernetes-int-or-string"] == true {
        return value.is_string() || value.is_i64() || value.is_u64();
    }
    match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn check_object(schema: &Value, object: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let count = object.as_object().map_or(0, serde_json::Map::len);
    if let Some(most) = schema["maxProperties"].as_u64().filter(|most| count as u64 > *most) {
        errors.push(FieldError::too_many(path, count, most));
    }
    if let Some(least) = schema["minProperties"].as_u64().filter(|least| (count as u64) < *least) {
        let detail = format!("{path} in body should have at least {least} properties");
        errors.push(FieldError::invalid(path, object, &detail));
    }
    for name in meta::strings(&schema["required"]) {
        if object.get(name).is_none() {
            errors.push(FieldError::required(child(path, name), ""));
        }
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        let property = schema["properties"].get(name);
        let general = Some(&schema["additionalProperties"]).filter(|general| general.is_object());
        if let Some(schema) = property.or(general) {
            // The server itself checks the metadata of the whole object.
            if path.is_empty() && name == "metadata" {
                continue;
            }
            check(schema, value, &child(path, name), errors);
        }
    }
}

fn check_list(schema: &Value, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
        errors.push(FieldError::too_many(path, items.len(), most));
    }
    if let Some(least) = schema["minItems"].as_u64().filter(|least| (items.len() as u64) < *least) {
        let detail = format!("{path} in body should have at least {least} items");
        errors.push(FieldError::invalid(path, &json!(items.len()), &detail));
    }
    for (index, item) in items.iter().enumerate() {
        check(&schema["items"], item, &format!("{path}[{index}]"), errors);
        let is_again = match schema["x-kubernetes-list-type"].as_str() {
            Some("set") => items[..index].contains(item),
            Some("map") => items[..index].iter().any(|earlier| same_keys(schema, earlier, item)),
            _ => false,
        };
        if is_again {
            errors.push(FieldError::duplicate(format!("{path}[{index}]"), &shown_keys(schema, item)));
        }
    }
}

fn same_keys(schema: &Value, one: &Value, other: &Value) -> bool {
    meta::strings(&schema["x-kubernetes-list-map-keys"]).into_iter().all(|key| one[key] == other[key])
}

fn shown_keys(schema: &Value, item: &Value) -> Value {
    let keys = meta::strings(&schema["x-kubernetes-list-map-keys"]);
    if keys.is_empty() {
        return item.clone();
    }
    keys.into_iter().map(|key| (key.to_owned(), item[key].clone())).collect()
}

fn check_text(schema: &Value, text: &str, path: &str, errors: &mut Vec<FieldError>) {
    let length = text.chars().count() as u64;
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        errors.push(FieldError::too_long(path, most));
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        let detail = format!("{path} in body should be at least {least} chars long");
        errors.push(FieldError::invalid(path, &json!(text), &detail));
    }
}

fn check_number(schema: &Value, number: f64, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let mut refuse = |words: &str, bound: &Value| {
        let detail = format!("{path} in body should be {words} {bound}");
        errors.push(FieldError::invalid(path, value, &detail));
    };
    if let Some(least) = schema["minimum"].as_f64() {
        let is_exclusive = schema["exclusiveMinimum"] == true;
        if is_exclusive && number <= least {
            refuse("greater than", &schema["minimum"]);
        } else if number < least {
            refuse("greater than or equal to", &schema["minimum"]);
        }
    }
    if let Some(most) = schema["maximum"].as_f64() {
        let is_exclusive = schema["exclusiveMaximum"] == true;
        if is_exclusive && number >= most {
            refuse("less than", &schema["maximum"]);
        } else if number > most {
            refuse("less than or equal to", &schema["maximum"]);
        }
    }
    if let Some(step) = schema["multipleOf"].as_f64().filter(|step| *step != 0.0)
        && (number / step).fract() != 0.0
    {
        refuse("a multiple of", &schema["multipleOf"]);
    }
}

fn check_combinations(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let holds = |schema: &Value| {
        let mut inner = Vec::new();
        check(schema, value, path, &mut inner);
        inner.is_empty()
    };
    for part in meta::items(&schema["allOf"]) {
        check(part, value, path, errors);
    }
    let mut refuse = |detail: String| {
        // The message names the field, or nothing at the root, and shows no value.
        errors.push(FieldError::invalid(path, &json!(""), &detail));
    };
    let any = meta::items(&schema["anyOf"]);
    if !any.is_empty() && !any.iter().any(holds) {
        refuse(format!("{path:?} must validate at least one schema (anyOf)"));
    }
    let one = meta::items(&schema["oneOf"]);
    if !one.is_empty() {
        let count = one.iter().filter(|schema| holds(schema)).count();
        if count != 1 {
            let found = if count == 0 {
                "Found none valid".to_owned()
            } else {
                format!("Found {count} valid alternatives")
            };
            refuse(format!("{path:?} must validate one and only one schema (oneOf). {found}"));
        }
    }
    if schema["not"].is_object() && holds(&schema["not"]) {
        refuse(format!("{path:?} must not validate the schema (not)"));
    }
}
