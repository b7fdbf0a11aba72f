//! Custom resources as values of CEL.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cel::Value as CelValue;
use cel::objects::{Key, Map, OptionalValue};
use serde_json::Value;

/// Words of CEL that are no names of fields.
const RESERVED: [&str; 20] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
];

/// A value by its schema; the root shows what every object has too.
pub(super) fn convert(schema: &Value, value: &Value, is_root: bool) -> CelValue {
    if schema["x-kubernetes-int-or-string"] == true {
        return free(value);
    }
    match value {
        Value::Object(_) if schema["type"] == "object" => object(schema, value, is_root),
        Value::Array(items) => {
            let items = items.iter().map(|item| convert(&schema["items"], item, false));
            CelValue::List(Arc::new(items.collect()))
        }
        Value::String(text) => string(schema["format"].as_str().unwrap_or_default(), text),
        Value::Number(number) if schema["type"] == "number" => {
            CelValue::Float(number.as_f64().unwrap_or_default())
        }
        other => free(other),
    }
}

fn string(format: &str, text: &str) -> CelValue {
    let plain = || CelValue::String(Arc::new(text.to_owned()));
    match format {
        "byte" => STANDARD.decode(text).map_or_else(|_| plain(), |bytes| CelValue::Bytes(Arc::new(bytes))),
        "date" | "date-time" => {
            let full = if format == "date" { format!("{text}T00:00:00Z") } else { text.to_owned() };
            super::functions::evaluated("timestamp", &full).unwrap_or_else(plain)
        }
        "duration" => super::functions::evaluated("duration", text).unwrap_or_else(plain),
        _ => plain(),
    }
}

fn object(schema: &Value, value: &Value, is_root: bool) -> CelValue {
    let mut fields: HashMap<Key, CelValue> = HashMap::new();
    let mut put = |name: String, value| fields.insert(Key::String(Arc::new(name)), value);
    let is_embedded = schema["x-kubernetes-embedded-resource"] == true;
    let properties = schema["properties"].as_object();
    for (name, value) in value.as_object().into_iter().flatten() {
        let property = properties.and_then(|properties| properties.get(name));
        match (property, name.as_str()) {
            (_, "apiVersion" | "kind") if is_root || is_embedded => drop(put(name.clone(), free(value))),
            (_, "metadata") if is_root || is_embedded => drop(put(name.clone(), names(value))),
            (Some(property), _) => drop(put(escaped(name), convert(property, value, false))),
            (None, _) if schema["additionalProperties"].is_object() => {
                put(name.clone(), convert(&schema["additionalProperties"], value, false));
            }
            // Rules do not see fields without a schema.
            (None, _) => {}
        }
    }
    CelValue::Map(Map { map: Arc::new(fields) })
}

// Of the metadata, rules see the names only.
fn names(metadata: &Value) -> CelValue {
    let shown = ["name", "generateName"].into_iter().filter_map(|name| Some((name, metadata.get(name)?)));
    let fields = shown.map(|(name, value)| (Key::String(Arc::new(name.to_owned())), free(value)));
    CelValue::Map(Map { map: Arc::new(fields.collect()) })
}

// The name by which rules call a field.
fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

fn free(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(flag) => CelValue::Bool(*flag),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| CelValue::Float(number.as_f64().unwrap_or_default()), CelValue::Int),
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(items) => CelValue::List(Arc::new(items.iter().map(free).collect())),
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(name, value)| (Key::String(Arc::new(name.clone())), free(value)));
            CelValue::Map(Map { map: Arc::new(fields.collect()) })
        }
    }
}

/// A value that may be absent.
pub(super) fn optional(value: Option<CelValue>) -> CelValue {
    CelValue::Opaque(Arc::new(value.map_or_else(OptionalValue::none, OptionalValue::of)))
}
