//! The keywords of a schema: those that Kubernetes refuses, and those whose values must fit each other.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation>

use serde_json::{Value, json};

use engine_structural::{formats, rules};

use crate::error::FieldError;
use crate::meta;

/// Keywords of JSON Schema that definitions do not support.
const UNSUPPORTED: [&str; 6] =
    ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Whether the schema uses what no structural schema can express.
pub(super) fn has_unsupported(schema: &Value) -> bool {
    let own = UNSUPPORTED.iter().any(|keyword| is_given(&schema[*keyword]))
        || schema["items"].is_array()
        || schema["x-kubernetes-preserve-unknown-fields"] == false;
    own || children(schema).into_iter().any(|(_, child)| has_unsupported(child))
}

fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

// The schemas inside a schema, with their places.
fn children(schema: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut add = |place: String, child| found.push((place, child));
    if schema["additionalProperties"].is_object() {
        add("additionalProperties".into(), &schema["additionalProperties"]);
    }
    for keyword in ["properties", "definitions"] {
        for (name, child) in schema[keyword].as_object().into_iter().flatten() {
            add(format!("{keyword}[{name}]"), child);
        }
    }
    if schema["not"].is_object() {
        add("not".into(), &schema["not"]);
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        for (index, child) in meta::items(&schema[keyword]).iter().enumerate() {
            add(format!("{keyword}[{index}]"), child);
        }
    }
    if schema["items"].is_object() {
        add("items".into(), &schema["items"]);
    }
    found
}

/// The formats of a schema that Kubernetes does not know.
pub(super) fn unknown_formats(schema: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    if let Some(format) = schema["format"].as_str().filter(|format| !format.is_empty()) {
        let is_known = match schema["type"].as_str().unwrap_or_default() {
            "" | "string" => formats::is_known(format),
            "integer" => ["int32", "int64"].contains(&format),
            "number" => ["float", "double"].contains(&format),
            _ => false,
        };
        if !is_known {
            found.push(format);
        }
    }
    for (_, child) in children(schema) {
        found.extend(unknown_formats(child));
    }
    found
}

/// Checks the keywords at every level. Rules in CEL are compiled only if the schema is structural.
pub(super) fn check(schema: &Value, at: &str, is_structural: bool, errors: &mut Vec<FieldError>) {
    let before = errors.len();
    let root = Place { default_refusal: None, uncorrelated: None, is_root: true };
    let mut rule_errors = Vec::new();
    walk(schema, at, &root, errors, &mut rule_errors);
    if is_structural && errors.len() == before {
        errors.append(&mut rule_errors);
    }
}

// What the place of a schema means for it.
struct Place {
    /// Why defaults are refused here.
    default_refusal: Option<String>,
    /// The list whose elements have no identity, around this schema: rules here cannot see the old value.
    uncorrelated: Option<String>,
    is_root: bool,
}

fn walk(
    schema: &Value,
    at: &str,
    place: &Place,
    errors: &mut Vec<FieldError>,
    rule_errors: &mut Vec<FieldError>,
) {
    check_support(schema, at, place, errors);
    let properties = schema["properties"].as_object().filter(|properties| !properties.is_empty());
    if properties.is_some() && ![Value::Null, json!(true)].contains(&schema["additionalProperties"]) {
        let detail = "additionalProperties and properties are mutual exclusive";
        errors.push(FieldError::forbidden(format!("{at}.additionalProperties"), detail));
    }
    for (below, child) in children(schema) {
        let mut inner = Place {
            default_refusal: place.default_refusal.clone(),
            uncorrelated: place.uncorrelated.clone(),
            is_root: false,
        };
        let meta_name =
            ["metadata", "kind", "apiVersion"].iter().find(|name| below == format!("properties[{name}]"));
        if let Some(name) = meta_name.filter(|_| place.is_root) {
            inner.default_refusal = Some(format!("must not be set in top-level {name}"));
        }
        if below == "items" && schema["x-kubernetes-list-type"] != "map" {
            inner.uncorrelated.get_or_insert_with(|| at.to_owned());
        }
        walk(child, &format!("{at}.{below}"), &inner, errors, rule_errors);
    }
    check_list_type(schema, at, errors);
    check_list_map(schema, at, errors);
    rules::check(schema, at, place.uncorrelated.as_deref(), (errors, rule_errors));
}

fn check_support(schema: &Value, at: &str, place: &Place, errors: &mut Vec<FieldError>) {
    let found = schema["type"].as_str().unwrap_or_default();
    if !found.is_empty() && !TYPES.contains(&found) {
        errors.push(FieldError::unsupported(
            format!("{at}.type"),
            &schema["type"],
            &TYPES.map(str::to_owned),
        ));
    }
    let mut forbid = |keyword: &str, detail: &str| {
        errors.push(FieldError::forbidden(format!("{at}.{keyword}"), detail));
    };
    if let Some(refusal) = place.default_refusal.as_ref().filter(|_| !schema["default"].is_null()) {
        forbid("default", refusal);
    }
    for keyword in UNSUPPORTED {
        if is_given(&schema[keyword]) {
            forbid(keyword, &format!("{keyword} is not supported"));
        }
    }
    if found == "null" {
        forbid("type", "type cannot be set to null, use nullable as an alternative");
    }
    if schema["items"].is_array() {
        forbid("items", "items must be a schema object and not an array");
    }
    if schema["uniqueItems"] == true {
        forbid(
            "uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        );
    }
}

fn check_list_type(schema: &Value, at: &str, errors: &mut Vec<FieldError>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == false {
        let field = format!("{at}.x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(field, &json!(false), "must be true or undefined"));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (keyword, wanted, known) in [
        ("x-kubernetes-map-type", "object", &["atomic", "granular"][..]),
        ("x-kubernetes-list-type", "array", &["atomic", "set", "map"]),
    ] {
        let given = text(&schema[keyword]);
        if given.is_empty() {
            continue;
        }
        let found = text(&schema["type"]);
        let detail = format!("must be {wanted} if {keyword} is specified");
        if found.is_empty() {
            errors.push(FieldError::required(format!("{at}.type"), &detail));
        } else if found != wanted {
            errors.push(FieldError::invalid(format!("{at}.type"), &schema["type"], &detail));
        } else if given == "set" {
            check_set(&schema["items"], at, errors);
        }
        if !known.contains(&given.as_str()) {
            let known: Vec<_> = known.iter().map(|&name| name.to_owned()).collect();
            errors.push(FieldError::unsupported(format!("{at}.{keyword}"), &schema[keyword], &known));
        }
    }
}

fn check_set(items: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let refused = match items["type"].as_str() {
        Some("array") if ![Value::Null, json!("atomic")].contains(&items["x-kubernetes-list-type"]) => {
            "x-kubernetes-list-type"
        }
        Some("object") if items["x-kubernetes-map-type"] != "atomic" => "x-kubernetes-map-type",
        _ => return,
    };
    // The message shows the list's type in both cases.
    let shown = &items["x-kubernetes-list-type"];
    errors.push(FieldError::invalid(format!("{at}.items.{refused}"), shown, detail));
}

fn check_list_map(schema: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let (kind, keys) = (&schema["x-kubernetes-list-type"], &schema["x-kubernetes-list-map-keys"]);
    let has_keys = !meta::items(keys).is_empty();
    let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    if has_keys && kind.is_null() {
        errors.push(FieldError::required(format!("{at}.x-kubernetes-list-type"), detail));
    } else if has_keys && kind != "map" {
        errors.push(FieldError::invalid(format!("{at}.x-kubernetes-list-type"), kind, detail));
    }
    let items = &schema["items"];
    if (kind == "map" || kind == "set") && items["nullable"] == true {
        let detail = format!(
            "cannot be nullable when x-kubernetes-list-type is {}",
            kind.as_str().unwrap_or_default()
        );
        errors.push(FieldError::forbidden(format!("{at}.items.nullable"), &detail));
    }
    if kind != "map" {
        return;
    }
    let field = format!("{at}.x-kubernetes-list-map-keys");
    if !has_keys {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(FieldError::required(field.as_str(), detail));
    }
    if items.is_null() {
        let detail = "must have a schema if x-kubernetes-list-type is map";
        errors.push(FieldError::required(format!("{at}.items"), detail));
    } else if items["type"] != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(format!("{at}.items.type"), &items["type"], detail));
    } else {
        check_keys(items, keys, at, errors);
    }
    check_key_presence(items, keys, at, errors);
}

fn check_keys(items: &Value, keys: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let field = format!("{at}.x-kubernetes-list-map-keys");
    let names = meta::strings(keys);
    for (index, name) in names.iter().enumerate() {
        let property = &items["properties"][*name];
        if property.is_null() {
            errors.push(FieldError::invalid(
                field.as_str(),
                keys,
                "entries must all be names of item properties",
            ));
        } else if property["type"] == "array" || property["type"] == "object" {
            let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            let place = format!("{at}.items.properties[{name}].type");
            errors.push(FieldError::invalid(place, &items["type"], detail));
        }
        if names[..index].contains(name) {
            errors.push(FieldError::invalid(field.as_str(), keys, "must not contain duplicate entries"));
        }
    }
}

fn check_key_presence(items: &Value, keys: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let required = meta::strings(&items["required"]);
    for name in meta::strings(keys) {
        let (property, place) = (&items["properties"][name], format!("{at}.items.properties[{name}]"));
        if property.is_object() && !required.contains(&name) && property["default"].is_null() {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(FieldError::required(format!("{place}.default"), detail));
        }
        if property["nullable"] == true {
            let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(format!("{place}.nullable"), detail));
        }
    }
}
