//! Structural schemas: what the schema of a definition must and must not say.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>

use regex::Regex;
use serde_json::{Value, json};

use engine_structural::validate;

use super::{keywords, prune};
use crate::error::FieldError;
use crate::meta;

/// Keywords that say nothing about structure where Kubernetes allows only values to be constrained.
const STRUCTURAL: [(&str, &str); 9] = [
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
];

/// Keywords at the root of a schema whose `status` is checked by itself.
const ROOT_KEYWORDS: [(&str, &str); 22] = [
    ("description", "Description"),
    ("type", "Type"),
    ("format", "Format"),
    ("title", "Title"),
    ("maximum", "Maximum"),
    ("exclusiveMaximum", "ExclusiveMaximum"),
    ("minimum", "Minimum"),
    ("exclusiveMinimum", "ExclusiveMinimum"),
    ("maxLength", "MaxLength"),
    ("minLength", "MinLength"),
    ("pattern", "Pattern"),
    ("maxItems", "MaxItems"),
    ("minItems", "MinItems"),
    ("uniqueItems", "UniqueItems"),
    ("multipleOf", "MultipleOf"),
    ("required", "Required"),
    ("items", "Items"),
    ("properties", "Properties"),
    ("externalDocs", "ExternalDocs"),
    ("example", "Example"),
    ("x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"),
    ("x-kubernetes-validations", "XValidations"),
];

/// Every rule that the schema of a version breaks.
pub(super) fn check(schema: &Value, at: &str, has_status: bool, errors: &mut Vec<FieldError>) {
    let Some(fields) = schema.as_object() else { return };
    let is_foreign = |name: &String| !ROOT_KEYWORDS.iter().any(|(known, _)| known == name);
    if has_status && fields.keys().any(is_foreign) {
        let names = ROOT_KEYWORDS.map(|(_, name)| name).join(" ");
        let detail = format!(
            "only [{names}] fields are allowed at the root of the schema if the status subresource is enabled"
        );
        errors.push(FieldError::invalid(at, schema, &detail));
    }
    if schema["nullable"] == true {
        errors.push(FieldError::forbidden(format!("{at}.nullable"), "nullable cannot be true at the root"));
    }
    let mut found = Vec::new();
    let mut is_structural = false;
    if !keywords::has_unsupported(schema) {
        check_level(schema, Level::Root, at, &mut found);
        check_complete(schema, schema, (at, at), &mut found);
        found.sort_by_key(ToString::to_string);
        if found.is_empty() {
            check_defaults(schema, schema, at, &mut found);
            is_structural = found.is_empty();
        }
    }
    errors.append(&mut found);
    keywords::check(schema, at, is_structural, errors);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

fn type_of(schema: &Value) -> &str {
    schema["type"].as_str().unwrap_or_default()
}

fn is_set(schema: &Value, keyword: &str) -> bool {
    match &schema[keyword] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn check_level(schema: &Value, level: Level, at: &str, errors: &mut Vec<FieldError>) {
    if type_of(schema) == "array" && !schema["items"].is_object() {
        errors.push(FieldError::required(format!("{at}.items"), "must be specified"));
    }
    if schema["items"].is_object() {
        check_level(&schema["items"], Level::Item, &format!("{at}.items"), errors);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        check_level(property, Level::Field, &format!("{at}.properties[{name}]"), errors);
    }
    let additional = &schema["additionalProperties"];
    if !additional.is_null() && level == Level::Root {
        errors.push(FieldError::forbidden(
            format!("{at}.additionalProperties"),
            "must not be used at the root",
        ));
    }
    if additional.is_object() {
        check_level(additional, Level::Field, &format!("{at}.additionalProperties"), errors);
    }
    for keyword in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
        if is_set(schema, "x-kubernetes-int-or-string") && is_set(schema, keyword) {
            let detail = "must be false if x-kubernetes-int-or-string is true";
            errors.push(FieldError::invalid(format!("{at}.{keyword}"), &json!(true), detail));
        }
    }
    check_values(schema, has_both_scalars(schema), at, errors);
    check_type(schema, level, at, errors);
    check_type_meta(schema, level, at, errors);
}

fn check_type(schema: &Value, level: Level, at: &str, errors: &mut Vec<FieldError>) {
    let field = format!("{at}.type");
    let is_embedded = is_set(schema, "x-kubernetes-embedded-resource");
    let is_free = is_set(schema, "x-kubernetes-int-or-string")
        || is_set(schema, "x-kubernetes-preserve-unknown-fields");
    match (is_embedded, type_of(schema)) {
        (true, "object") => {}
        (true, found) => {
            let detail = "must be object if x-kubernetes-embedded-resource is true";
            errors.push(if found.is_empty() {
                FieldError::required(field.as_str(), detail)
            } else {
                FieldError::invalid(field.as_str(), &schema["type"], detail)
            });
        }
        (false, "") if !is_free => {
            let place = match level {
                Level::Root => "at the root",
                Level::Item => "for specified array items",
                Level::Field => "for specified object fields",
            };
            errors.push(FieldError::required(field.as_str(), &format!("must not be empty {place}")));
        }
        _ => {}
    }
    if is_embedded && !schema["additionalProperties"].is_null() {
        let detail = "must not be used if x-kubernetes-embedded-resource is set";
        errors.push(FieldError::forbidden(format!("{at}.additionalProperties"), detail));
    }
    if level == Level::Root && !["", "object"].contains(&type_of(schema)) {
        errors.push(FieldError::invalid(field, &schema["type"], "must be object at the root"));
    }
}

// What a schema says about the fields that every object has.
fn check_type_meta(schema: &Value, level: Level, at: &str, errors: &mut Vec<FieldError>) {
    let is_embedded = is_set(schema, "x-kubernetes-embedded-resource");
    let properties = &schema["properties"];
    let is_object = level == Level::Root || is_embedded;
    for name in ["kind", "apiVersion"] {
        if is_object && properties[name].is_object() && type_of(&properties[name]) != "string" {
            let found = json!(type_of(&properties[name]));
            let field = format!("{at}.properties[{name}].type");
            errors.push(FieldError::invalid(field, &found, "must be string"));
        }
    }
    let metadata = &properties["metadata"];
    let place = format!("{at}.properties[metadata]");
    if is_object && metadata.is_object() && type_of(metadata) != "object" {
        errors.push(FieldError::invalid(
            format!("{place}.type"),
            &json!(type_of(metadata)),
            "must be object",
        ));
    }
    if level == Level::Root && metadata.is_object() && !restricts_names_only(metadata) {
        let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(place, detail));
    }
    let is_empty = properties.as_object().is_none_or(serde_json::Map::is_empty);
    if is_embedded && is_empty && !is_set(schema, "x-kubernetes-preserve-unknown-fields") {
        let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                      x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(format!("{at}.properties"), detail));
    }
}

fn restricts_names_only(metadata: &Value) -> bool {
    let is_name = |name: &String| name == "name" || name == "generateName";
    let properties = metadata["properties"].as_object();
    let others = metadata
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !["type", "properties", "default"].contains(&key.as_str()));
    properties.is_none_or(|properties| properties.keys().all(is_name)) && others.count() == 0
}

// `anyOf: [{type: integer}, {type: string}]` may stand beside x-kubernetes-int-or-string, alone or first in allOf.
fn has_both_scalars(schema: &Value) -> bool {
    schema["anyOf"] == json!([{ "type": "integer" }, { "type": "string" }])
}

fn check_values(schema: &Value, skips_any: bool, at: &str, errors: &mut Vec<FieldError>) {
    for keyword in ["anyOf", "allOf", "oneOf"] {
        if keyword == "anyOf" && skips_any {
            continue;
        }
        for (index, part) in meta::items(&schema[keyword]).iter().enumerate() {
            let skips_any = keyword == "allOf" && index == 0 && has_both_scalars(part);
            check_nested(part, skips_any, &format!("{at}.{keyword}[{index}]"), errors);
        }
    }
    if schema["not"].is_object() {
        check_nested(&schema["not"], false, &format!("{at}.not"), errors);
    }
    if let Some(pattern) = schema["pattern"].as_str().filter(|pattern| !pattern.is_empty())
        && let Err(error) = Regex::new(pattern)
    {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let detail = format!("must be a valid regular expression, but isn't: error parsing regexp: {reason}");
        errors.push(FieldError::invalid(format!("{at}.pattern"), &schema["pattern"], &detail));
    }
}

fn check_nested(schema: &Value, skips_any: bool, at: &str, errors: &mut Vec<FieldError>) {
    check_values(schema, skips_any, at, errors);
    if schema["items"].is_object() {
        check_nested(&schema["items"], false, &format!("{at}.items"), errors);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        check_nested(property, false, &format!("{at}.properties[{name}]"), errors);
    }
    let mut forbid = |keyword: &str, detail: &str| {
        errors.push(FieldError::forbidden(format!("{at}.{keyword}"), detail));
    };
    if is_set(schema, "type") {
        forbid("type", "must be empty to be structural");
    }
    for keyword in ["additionalProperties", "default"] {
        if !schema[keyword].is_null() {
            forbid(keyword, "must be undefined to be structural");
        }
    }
    for (keyword, detail) in STRUCTURAL {
        if is_set(schema, keyword) {
            forbid(keyword, detail);
        }
    }
    if is_set(schema, "x-kubernetes-validations") {
        forbid("x-kubernetes-validations", "must be empty to be structural");
    }
    if schema["properties"]["metadata"].is_object() {
        forbid("properties[metadata]", "must not be specified in a nested context");
    }
}

// Everything that a combination constrains is also specified outside of it.
fn check_complete(values: &Value, schema: &Value, (at, nested): (&str, &str), errors: &mut Vec<FieldError>) {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|keyword| {
        let parts = meta::items(&values[keyword]).iter().enumerate();
        parts.map(move |(index, part)| (format!("{keyword}[{index}]"), part))
    });
    let not = Some(("not".to_owned(), &values["not"])).filter(|(_, part)| part.is_object());
    for (keyword, part) in not.into_iter().chain(lists) {
        let place = format!("{nested}.{keyword}");
        check_complete(part, schema, (at, &place), errors);
        check_counterparts(part, schema, (at, &place), errors);
    }
}

fn check_counterparts(
    values: &Value,
    schema: &Value,
    (at, nested): (&str, &str),
    errors: &mut Vec<FieldError>,
) {
    let items = Some(("items".to_owned(), &values["items"], &schema["items"]))
        .filter(|(_, part, _)| part.is_object());
    let properties = values["properties"].as_object().into_iter().flatten();
    let properties = properties
        .map(|(name, part)| (format!("properties[{name}]"), part, &schema["properties"][name.as_str()]));
    for (place, part, counterpart) in items.into_iter().chain(properties) {
        let (at, nested) = (format!("{at}.{place}"), format!("{nested}.{place}"));
        if counterpart.is_object() {
            check_complete(part, counterpart, (&at, &nested), errors);
            check_counterparts(part, counterpart, (&at, &nested), errors);
        } else {
            errors.push(FieldError::required(at, &format!("because it is defined in {nested}")));
        }
    }
}

// Defaults are pruned and valid. Those of an object's own metadata are refused elsewhere.
fn check_defaults(schema: &Value, root: &Value, at: &str, errors: &mut Vec<FieldError>) {
    if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
        let place = format!("{at}.default");
        let mut pruned = default.clone();
        prune::prune(schema, &mut pruned);
        if pruned != *default {
            errors.push(FieldError::invalid(place.as_str(), default, "must not have unknown fields"));
        }
        errors.extend(validate::validate(schema, default, None).into_iter().map(|error| error.below(&place)));
    }
    if schema["items"].is_object() {
        check_defaults(&schema["items"], root, &format!("{at}.items"), errors);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_meta = ["metadata", "apiVersion", "kind"].contains(&name.as_str());
        if !(is_meta && std::ptr::eq(schema, root)) {
            check_defaults(property, root, &format!("{at}.properties[{name}]"), errors);
        }
    }
}
