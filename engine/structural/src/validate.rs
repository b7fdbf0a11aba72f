//! Checks custom resources against the schema of their version.
//!
//! A change is judged by what it changes: a part that stays as it is may be invalid, since the schema may have become
//! stricter since.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation> and
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting>

use regex::Regex;
use serde_json::{Value, json};

use super::{formats, lists};
use crate::FieldError;
use crate::read;

/// Every rule of the schema that a value breaks, except where it is as `old`. Fields are named from the value on.
pub fn validate(schema: &Value, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    check(schema, value, old, "")
}

/// The path of a field inside of another.
pub fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The element of the old list that an element of the new one has come from: lists by keys alone have identities.
pub fn counterpart<'a>(schema: &Value, old: Option<&'a Value>, item: &Value) -> Option<&'a Value> {
    if schema["x-kubernetes-list-type"] != "map" {
        return None;
    }
    let keys = read::strings(&schema["x-kubernetes-list-map-keys"]);
    let wanted = lists::keys_of(&keys, item);
    read::items(old?).iter().find(|old| lists::keys_of(&keys, old) == wanted)
}

fn check(schema: &Value, value: &Value, old: Option<&Value>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_type(schema, value, path, &mut errors);
    if !value.is_null() {
        check_combinations(schema, value, old, path, &mut errors);
        match value {
            Value::String(text) => check_text(schema, text, path, &mut errors),
            Value::Number(number) => {
                check_number(schema, number.as_f64().unwrap_or_default(), value, path, &mut errors);
            }
            Value::Array(items) => check_list(schema, items, old, path, &mut errors),
            _ => {}
        }
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        let texts: Vec<_> =
            allowed.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        errors.push(FieldError::unsupported(shown(path), value, &texts));
    }
    if value.is_object() {
        check_object(schema, value, old, path, &mut errors);
    }
    let is_root = path.is_empty();
    if !is_root && old == Some(value) { Vec::new() } else { errors }
}

// Kubernetes has no name for the root.
fn shown(path: &str) -> &str {
    if path.is_empty() { "<nil>" } else { path }
}

fn check_type(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let is_scalar = schema["x-kubernetes-int-or-string"] == true;
    let wanted = if is_scalar { "integer,string" } else { schema["type"].as_str().unwrap_or_default() };
    let fits = match wanted {
        "" => true,
        _ if value.is_null() => schema["nullable"] == true,
        "integer,string" => value.is_string() || is_integer(value),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => is_integer(value),
        _ => true,
    };
    if !fits {
        let found = type_of(value);
        let detail = format!("{path} in body must be of type {wanted}: {found:?}");
        errors.push(FieldError::wrong_type(shown(path), &json!(found), &detail));
    }
}

fn is_integer(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
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

fn check_text(schema: &Value, text: &str, path: &str, errors: &mut Vec<FieldError>) {
    let length = text.chars().count() as u64;
    let mut refuse = |detail: String| errors.push(FieldError::invalid(shown(path), &json!(text), &detail));
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        errors.push(FieldError::too_long(shown(path), most));
    } else if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        refuse(format!("{path} in body should be at least {least} chars long"));
    } else if let Some(pattern) = schema["pattern"].as_str().filter(|pattern| !pattern.is_empty())
        && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        refuse(format!("{path} in body should match '{pattern}'"));
    }
    let format = schema["format"].as_str().unwrap_or_default();
    let is_text = [Value::Null, json!("string")].contains(&schema["type"]);
    if is_text && !format.is_empty() && !formats::fits(format, text) {
        let detail = format!("{path} in body must be of type {format}: {text:?}");
        errors.push(FieldError::wrong_type(shown(path), &json!(text), &detail));
    }
}

fn check_number(schema: &Value, number: f64, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    check_range(schema, number, path, errors);
    // A number without a fraction is held against whole bounds.
    let bound = |keyword: &str| {
        let bound = schema[keyword].as_f64();
        bound.map(|bound| if value.is_f64() { bound } else { bound.trunc() })
    };
    let mut refuse = |words: &str, bound: f64| {
        let detail = format!("{path} in body should be {words} {bound}");
        errors.push(FieldError::invalid(shown(path), value, &detail));
    };
    if let Some(step) = bound("multipleOf").filter(|step| *step != 0.0)
        && (number / step).fract() != 0.0
    {
        refuse("a multiple of", step);
    }
    if let Some(least) = bound("minimum") {
        let is_exclusive = schema["exclusiveMinimum"] == true;
        if is_exclusive && number <= least {
            refuse("greater than", least);
        } else if number < least {
            refuse("greater than or equal to", least);
        }
    }
    if let Some(most) = bound("maximum") {
        let is_exclusive = schema["exclusiveMaximum"] == true;
        if is_exclusive && number >= most {
            refuse("less than", most);
        } else if number > most {
            refuse("less than or equal to", most);
        }
    }
}

// An integer has no fraction, and as many bits as its format says.
fn check_range(schema: &Value, number: f64, path: &str, errors: &mut Vec<FieldError>) {
    if schema["type"] != "integer" || schema["x-kubernetes-int-or-string"] == true {
        return;
    }
    let format = schema["format"].as_str().filter(|format| ["int32", "int64"].contains(format));
    let is_small = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    if number.fract() != 0.0 || format == Some("int32") && !is_small {
        let which =
            format.map_or_else(|| "(default format)".to_owned(), |format| format!("with format {format}"));
        let detail = format!("Checked value must be of type integer {which} in {path}");
        errors.push(FieldError::invalid("<nil>", &json!(""), &detail));
    }
}

fn check_list(
    schema: &Value,
    items: &[Value],
    old: Option<&Value>,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    for (index, item) in items.iter().enumerate() {
        let old = counterpart(schema, old, item);
        errors.extend(check(&schema["items"], item, old, &format!("{path}[{index}]")));
    }
    if let Some(least) = schema["minItems"].as_u64().filter(|least| (items.len() as u64) < *least) {
        let detail = format!("{path} in body should have at least {least} items");
        errors.push(FieldError::invalid(shown(path), &json!(items.len()), &detail));
    }
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
        errors.push(FieldError::too_many(shown(path), items.len(), most));
    }
}

fn check_object(
    schema: &Value,
    object: &Value,
    old: Option<&Value>,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    let count = object.as_object().map_or(0, serde_json::Map::len);
    if let Some(least) = schema["minProperties"].as_u64().filter(|least| (count as u64) < *least) {
        let detail = format!("{path} in body should have at least {least} properties");
        errors.push(FieldError::invalid(shown(path), &json!(count), &detail));
    }
    if let Some(most) = schema["maxProperties"].as_u64().filter(|most| count as u64 > *most) {
        errors.push(FieldError::too_many(shown(path), count, most));
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        let property = schema["properties"].get(name);
        let general = Some(&schema["additionalProperties"]).filter(|general| general.is_object());
        // The server itself checks the metadata of the whole object.
        let is_metadata = path.is_empty() && name == "metadata";
        if let Some(schema) = property.or(general).filter(|_| !is_metadata) {
            let old = old.and_then(|old| old.get(name));
            errors.extend(check(schema, value, old, &child(path, name)));
        }
    }
    for name in read::strings(&schema["required"]) {
        if object.get(name).is_none() {
            errors.push(FieldError::required(child(path, name), ""));
        }
    }
}

// Messages on combinations name the value's path in their text only.
fn check_combinations(
    schema: &Value,
    value: &Value,
    old: Option<&Value>,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    let outcome = |schema: &Value| check(schema, value, old, path);
    let refusal = |detail: String| FieldError::invalid("<nil>", &json!(""), &detail);
    let any: Vec<_> = read::items(&schema["anyOf"]).iter().map(outcome).collect();
    if !any.is_empty() && any.iter().all(|found| !found.is_empty()) {
        errors.push(refusal(format!("{path:?} must validate at least one schema (anyOf)")));
        errors.extend(any.into_iter().next().into_iter().flatten());
    }
    let one: Vec<_> = read::items(&schema["oneOf"]).iter().map(outcome).collect();
    let count = one.iter().filter(|found| found.is_empty()).count();
    if !one.is_empty() && count != 1 {
        let found = if count == 0 {
            "Found none valid".to_owned()
        } else {
            format!("Found {count} valid alternatives")
        };
        errors.push(refusal(format!("{path:?} must validate one and only one schema (oneOf). {found}")));
        if count == 0 {
            errors.extend(one.into_iter().next().into_iter().flatten());
        }
    }
    let all: Vec<_> = read::items(&schema["allOf"]).iter().map(outcome).collect();
    let count = all.iter().filter(|found| found.is_empty()).count();
    if count != all.len() {
        errors.extend(all.into_iter().flatten());
        let none = if count == 0 { ". None validated" } else { "" };
        errors.push(refusal(format!("{path:?} must validate all the schemas (allOf){none}")));
    }
    if schema["not"].is_object() && outcome(&schema["not"]).is_empty() {
        errors.push(refusal(format!("{path:?} must not validate the schema (not)")));
    }
}
