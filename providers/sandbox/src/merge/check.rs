//! Checks applied configurations against their type.

use std::collections::BTreeSet;
use std::fmt::Write;

use engine_kinds::schema::{ListRelation, ListType, MapType, Scalar, Type};
use serde_json::{Map, Value};

use super::element::Element;
use super::view::{View, entry_type, item_element};

/// Returns every fault of an applied configuration as `PATH: MESSAGE`; none if it fits its type and no two
/// elements of a list share a name. The messages are Kubernetes'.
pub(super) fn faults(ty: &Type, applied: &Value) -> Vec<String> {
    let mut walk = Walk::default();
    walk.value(ty, applied);
    walk.faults
}

#[derive(Default)]
struct Walk {
    path: Vec<Element>,
    faults: Vec<String>,
}

impl Walk {
    fn value(&mut self, ty: &Type, value: &Value) {
        match View::of(ty, Some(value)) {
            _ if value.is_null() => {}
            Some(View::Scalar(scalar)) => self.scalar(scalar, value),
            Some(View::List(list)) => match value {
                Value::Array(values) => self.list(list, values),
                _ => self.fault(&format!("expected list, got &{{{}}}", plain(value))),
            },
            Some(View::Map(map)) => match value {
                Value::Object(values) => self.map(map, values),
                _ => self.fault(&format!("expected map, got &{{{}}}", plain(value))),
            },
            None => {}
        }
    }

    fn scalar(&mut self, scalar: Scalar, value: &Value) {
        match (scalar, value) {
            (Scalar::Numeric, Value::Number(_))
            | (Scalar::String, Value::String(_))
            | (Scalar::Boolean, Value::Bool(_))
            | (Scalar::Untyped, Value::Number(_) | Value::String(_) | Value::Bool(_)) => {}
            (Scalar::Numeric, _) => {
                self.fault(&format!("expected numeric (int or float), got {}", go_type(value)));
            }
            (Scalar::String, _) => {
                self.fault(&format!(
                    "expected string, got &value.valueUnstructured{{Value:{}}}",
                    literal(value)
                ));
            }
            (Scalar::Boolean, _) => self.fault(&format!("expected boolean, got &{{{}}}", plain(value))),
            (Scalar::Untyped, _) => self.fault(&format!("expected any scalar, got &{{{}}}", plain(value))),
        }
    }

    fn list(&mut self, list: &ListType, values: &[Value]) {
        let mut seen = BTreeSet::new();
        for (index, value) in values.iter().enumerate() {
            let mut element = Element::Index(index);
            if list.relation != ListRelation::Atomic {
                match item_element(&list.relation, value) {
                    Ok(named) => element = named,
                    Err(problem) => return self.fault(&format!("element {index}: {problem}")),
                }
                if !seen.insert(element.clone()) {
                    self.fault(&format!("duplicate entries for key {element}"));
                }
            }
            self.path.push(element);
            self.value(&list.element, value);
            self.path.pop();
        }
    }

    fn map(&mut self, map: &MapType, values: &Map<String, Value>) {
        for (name, value) in values {
            self.path.push(Element::field(name));
            match entry_type(map, name) {
                Some(ty) => self.value(ty, value),
                None => self.fault("field not declared in schema"),
            }
            self.path.pop();
        }
    }

    fn fault(&mut self, message: &str) {
        let mut path = String::new();
        for step in &self.path {
            // Writing to a string does not fail.
            let _ = write!(path, "{step}");
        }
        let separator = if path.is_empty() { "" } else { ": " };
        self.faults.push(format!("{path}{separator}{message}"));
    }
}

/// The name of the type that Kubernetes decodes a value to.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// A value as Kubernetes prints it in messages: `map[a:1 b:[x y]]`.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => format!("[{}]", values.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(values) => {
            let mut entries: Vec<_> =
                values.iter().map(|(name, value)| format!("{name}:{}", plain(value))).collect();
            entries.sort();
            format!("map[{}]", entries.join(" "))
        }
        scalar => scalar.to_string(),
    }
}

/// A value as Kubernetes prints it where types matter: `map[string]interface {}{"a":1}`.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(values) => {
            format!("[]interface {{}}{{{}}}", values.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(values) => {
            let entry = |(name, value)| format!("{}:{}", Value::from(String::as_str(name)), literal(value));
            let mut entries: Vec<_> = values.iter().map(entry).collect();
            entries.sort();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        scalar => scalar.to_string(),
    }
}
