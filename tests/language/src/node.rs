//! A value with all that is known of it, as it is exchanged with the reference program.

use std::collections::BTreeMap;
use std::fmt;

use engine_config::{Bound, ExprValue, Kind, Refinement, Type, Unknown};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// What it is, with its parts.
    #[serde(flatten)]
    pub content: Content,
    /// Whether it is sensitive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// What a value is. Types are written as go-cty writes them: `"string"`, `["list", "string"]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the kinds of the language")]
pub enum Content {
    Bool { value: bool },
    Number { value: String },
    String { value: String },
    List { r#type: Value, value: Vec<Node> },
    Set { r#type: Value, value: Vec<Node> },
    Tuple { value: Vec<Node> },
    Map { r#type: Value, value: BTreeMap<String, Node> },
    Object { value: BTreeMap<String, Node> },
    Null { r#type: Value },
    Unknown(Known),
}

/// What is known of an unknown value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields of a refinement")]
pub struct Known {
    pub r#type: Value,
    #[serde(default)]
    pub not_null: bool,
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub least: usize,
    #[serde(default)]
    pub most: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<End>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<End>,
}

/// One end of a range of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of a bound")]
pub struct End {
    pub number: String,
    pub inclusive: bool,
}

impl Node {
    /// Describes a value.
    pub fn of(value: &ExprValue) -> Self {
        let content = match value.kind() {
            Kind::Null => Content::Null { r#type: type_json(&value.ty()) },
            Kind::Bool(value) => Content::Bool { value: *value },
            Kind::Number(number) => Content::Number { value: number.to_string() },
            Kind::String(text) => Content::String { value: text.to_string() },
            Kind::List(items) => Content::List {
                r#type: type_json(items.element()),
                value: items.iter().map(Self::of).collect(),
            },
            Kind::Set(items) => Content::Set {
                r#type: type_json(items.element()),
                value: items.iter().map(Self::of).collect(),
            },
            Kind::Tuple(items) => Content::Tuple { value: items.iter().map(Self::of).collect() },
            Kind::Map(entries) => Content::Map {
                r#type: type_json(entries.element()),
                value: entries.iter().map(|(key, value)| (key.to_string(), Self::of(value))).collect(),
            },
            Kind::Object(entries) => Content::Object {
                value: entries.iter().map(|(key, value)| (key.to_string(), Self::of(value))).collect(),
            },
            Kind::Unknown(unknown) => Content::Unknown(Known::of(unknown)),
        };
        Self { content, sensitive: value.is_sensitive() }
    }

    /// Builds the value that is described.
    ///
    /// # Panics
    /// If a number or type is none.
    pub fn value(&self) -> ExprValue {
        let value = match &self.content {
            Content::Bool { value } => ExprValue::bool(*value),
            Content::Number { value } => {
                ExprValue::number(value.parse::<engine_core::value::Number>().expect("a number"))
            }
            Content::String { value } => ExprValue::string(value),
            Content::List { r#type, value } => {
                ExprValue::list(type_of(r#type), value.iter().map(Self::value))
            }
            Content::Set { r#type, value } => ExprValue::set(type_of(r#type), value.iter().map(Self::value)),
            Content::Tuple { value } => ExprValue::tuple(value.iter().map(Self::value)),
            Content::Map { r#type, value } => ExprValue::map(
                type_of(r#type),
                value.iter().map(|(key, value)| (key.as_str().into(), value.value())),
            ),
            Content::Object { value } => {
                ExprValue::object(value.iter().map(|(key, value)| (key.as_str().into(), value.value())))
            }
            Content::Null { r#type } => ExprValue::null(type_of(r#type)),
            Content::Unknown(known) => known.value(),
        };
        if self.sensitive { value.sensitive() } else { value }
    }
}

impl Known {
    fn of(unknown: &Unknown) -> Self {
        let known = unknown.refinement();
        let end = |bound: &Option<Bound>| {
            let told = bound.as_ref().filter(|bound| bound.number.as_i64() != Some(i64::MAX));
            told.map(|bound| End { number: bound.number.to_string(), inclusive: bound.inclusive })
        };
        Self {
            r#type: type_json(&unknown.ty),
            not_null: known.not_null,
            prefix: known.prefix.to_string(),
            least: known.least,
            most: known.most,
            from: end(&known.from),
            to: end(&known.to),
        }
    }

    fn value(&self) -> ExprValue {
        let known = Refinement {
            not_null: self.not_null,
            prefix: self.prefix.as_str().into(),
            least: self.least,
            most: self.most,
            ..Refinement::default()
        };
        ExprValue::unknown(type_of(&self.r#type)).refined(known)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// Writes a type as go-cty does.
pub fn type_json(ty: &Type) -> Value {
    match ty {
        Type::Any => json!("dynamic"),
        Type::Bool | Type::Number | Type::String => json!(ty.to_string()),
        Type::List(element) => json!(["list", type_json(element)]),
        Type::Set(element) => json!(["set", type_json(element)]),
        Type::Map(element) => json!(["map", type_json(element)]),
        Type::Tuple(elements) => json!(["tuple", elements.iter().map(type_json).collect::<Vec<_>>()]),
        Type::Object(object) => {
            let attributes: BTreeMap<_, _> =
                object.iter().map(|(name, attribute)| (name.as_str(), type_json(&attribute.ty))).collect();
            json!(["object", attributes])
        }
    }
}

/// Reads a type as go-cty writes it.
///
/// # Panics
/// If it is none.
pub fn type_of(json: &Value) -> Type {
    match json {
        Value::String(name) => match name.as_str() {
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            "dynamic" => Type::Any,
            name => panic!("no type: {name}"),
        },
        Value::Array(parts) => match (parts[0].as_str(), &parts[1]) {
            (Some("list"), element) => Type::list(type_of(element)),
            (Some("set"), element) => Type::set(type_of(element)),
            (Some("map"), element) => Type::map(type_of(element)),
            (Some("tuple"), Value::Array(elements)) => {
                Type::Tuple(elements.iter().map(type_of).collect::<Vec<_>>().into())
            }
            (Some("object"), Value::Object(attributes)) => {
                Type::object(attributes.iter().map(|(name, ty)| (name.as_str().into(), type_of(ty))))
            }
            _ => panic!("no type: {json}"),
        },
        _ => panic!("no type: {json}"),
    }
}
