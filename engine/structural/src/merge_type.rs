//! Turns a structural schema into the type by which server-side apply merges.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#custom-resources-and-server-side-apply>

use std::collections::BTreeMap;

use engine_kinds::schema::{
    self, Field, KeyDefault, ListKey, ListRelation, MapRelation, MapType, Scalar, Type,
};
use serde_json::Value;

use crate::read;

/// The type of a whole custom resource: its schema and what every object has.
pub fn object_type(schema: &Value) -> Type {
    let mut map = map_type(schema);
    add_object_fields(&mut map);
    Type::from(map)
}

fn add_object_fields(map: &mut MapType) {
    let text = || Type::scalar(Scalar::String);
    for (name, ty) in [("apiVersion", text()), ("kind", text()), ("metadata", schema::object_meta())] {
        map.fields.insert(name.into(), Field { ty, always: false });
    }
}

fn type_of(schema: &Value) -> Type {
    if schema["x-kubernetes-int-or-string"] == true {
        return Type::scalar(Scalar::Untyped);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let mut map = map_type(schema);
            if schema["x-kubernetes-embedded-resource"] == true {
                add_object_fields(&mut map);
            }
            Type::from(map)
        }
        Some("array") => Type::list(type_of(&schema["items"]), list_relation(schema)),
        Some("string") if matches!(schema["format"].as_str(), Some("date-time" | "date")) => {
            Type::scalar(Scalar::Untyped)
        }
        Some("string") => Type::scalar(Scalar::String),
        Some("integer" | "number") => Type::scalar(Scalar::Numeric),
        Some("boolean") => Type::scalar(Scalar::Boolean),
        _ => Type::deduced(),
    }
}

fn map_type(schema: &Value) -> MapType {
    let properties = schema["properties"].as_object();
    let fields: BTreeMap<_, _> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.as_str().into(), Field { ty: type_of(property), always: false }))
        .collect();
    let element = match &schema["additionalProperties"] {
        Value::Object(_) => Some(type_of(&schema["additionalProperties"])),
        Value::Bool(true) => Some(Type::deduced()),
        _ => (schema["x-kubernetes-preserve-unknown-fields"] == true).then(Type::deduced),
    };
    let is_atomic = schema["x-kubernetes-map-type"] == "atomic";
    let relation = if is_atomic { MapRelation::Atomic } else { MapRelation::Separable };
    MapType { fields, element, relation }
}

fn list_relation(schema: &Value) -> ListRelation {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListRelation::Set,
        Some("map") => {
            let mut names = read::strings(&schema["x-kubernetes-list-map-keys"]);
            names.sort_unstable();
            let properties = &schema["items"]["properties"];
            let key = |name: &str| ListKey { name: name.into(), default: default_of(&properties[name]) };
            ListRelation::Map(names.into_iter().map(key).collect())
        }
        _ => ListRelation::Atomic,
    }
}

fn default_of(property: &Value) -> Option<KeyDefault> {
    match &property["default"] {
        Value::String(text) => Some(KeyDefault::String(text.as_str().into())),
        Value::Number(number) => number.as_i64().map(KeyDefault::Integer),
        Value::Bool(flag) => Some(KeyDefault::Boolean(*flag)),
        _ => None,
    }
}
