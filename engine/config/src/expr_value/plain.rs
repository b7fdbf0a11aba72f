//! Between values of the language and plain data.

use engine_core::field_path::{FieldPath, PathElement};
use engine_core::value::{Map, Value};

use super::{Entries, ExprValue, Items, Kind};
use crate::types::Type;

/// A value as plain data, with the places that plain data cannot tell.
///
/// No `Debug`: the data holds what is sensitive.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    /// The data. Sets are lists in the order of their values; unknown places hold null.
    pub value: Value,
    /// Where something is known after apply, in order.
    pub unknown: Vec<FieldPath>,
    /// Where something is sensitive, in order; everything below such a path is sensitive too.
    pub sensitive: Vec<FieldPath>,
    /// The maps of which a key is a secret, in order.
    pub secret_keys: Vec<FieldPath>,
    /// Where something is ephemeral, in order; everything below such a path is ephemeral too.
    pub ephemeral: Vec<FieldPath>,
}

/// The value is not wholly known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value is known only after apply")]
pub struct NotPlain;

impl ExprValue {
    /// Returns the value as plain data with the paths of what is unknown and what is sensitive.
    pub fn to_plain(&self) -> Plain {
        let mut walk = Walk::default();
        let value = walk.value(self);
        let Walk { unknown, sensitive, secret_keys, ephemeral, .. } = walk;
        Plain { value, unknown, sensitive, secret_keys, ephemeral }
    }

    /// Returns a wholly known value as plain data. The sensitive mark is lost.
    ///
    /// # Errors
    /// [`NotPlain`] when something in the value is known only after apply.
    pub fn to_value(&self) -> Result<Value, NotPlain> {
        if self.is_wholly_known() { Ok(Walk::default().value(self)) } else { Err(NotPlain) }
    }
}

#[derive(Default)]
struct Walk {
    path: FieldPath,
    unknown: Vec<FieldPath>,
    sensitive: Vec<FieldPath>,
    secret_keys: Vec<FieldPath>,
    ephemeral: Vec<FieldPath>,
}

impl Walk {
    fn value(&mut self, value: &ExprValue) -> Value {
        if value.is_sensitive() {
            self.sensitive.push(self.path.clone());
        }
        if value.has_secret_keys() {
            self.secret_keys.push(self.path.clone());
        }
        if value.is_ephemeral() {
            self.ephemeral.push(self.path.clone());
        }
        match value.kind() {
            Kind::Null => Value::Null,
            Kind::Bool(bool) => Value::Bool(*bool),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::String(text) => Value::String(text.clone()),
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => self.items(items),
            Kind::Map(entries) | Kind::Object(entries) => self.entries(entries),
            Kind::Unknown(_) => {
                self.unknown.push(self.path.clone());
                Value::Null
            }
        }
    }

    fn items(&mut self, items: &Items) -> Value {
        let plain = items.iter().enumerate().map(|(idx, item)| {
            self.path.push(PathElement::Index(idx));
            let value = self.value(item);
            self.path.pop();
            value
        });
        Value::list(plain)
    }

    fn entries(&mut self, entries: &Entries) -> Value {
        let plain = entries.iter().map(|(key, value)| {
            self.path.push(PathElement::Field(key.clone()));
            let value = self.value(value);
            self.path.pop();
            (key.clone(), value)
        });
        Value::Map(plain.collect::<Map>())
    }
}

/// Lists become tuples and maps become objects, as they do when JSON is decoded; text stays as it is.
impl From<&Value> for ExprValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(bool) => Self::bool(*bool),
            Value::Number(number) => Self::number(number.clone()),
            Value::String(text) => Self::text(text.clone()),
            Value::List(items) => Self::tuple(items.iter().map(Self::from)),
            Value::Map(map) => Self::object(map.iter().map(|(key, value)| (key.clone(), value.into()))),
        }
    }
}

impl From<Value> for ExprValue {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl ExprValue {
    /// Builds a list of strings.
    pub fn strings<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::list(Type::String, texts.into_iter().map(Self::string))
    }
}
