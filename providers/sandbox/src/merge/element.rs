//! One step of a field path, in the notation of `FieldsV1`.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/> (`managedFields`)

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Number, Value};

/// A step from a map or list to one of its entries.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    /// A field of a map: `f:name`.
    Field(String),
    /// An element of a map-like list, by its keys sorted by name: `k:{"name":"web"}`.
    Key(Vec<(String, Value)>),
    /// An element of a set: `v:"x"`.
    Value(Value),
    /// An element by its place: `i:0`.
    Index(usize),
}

impl Element {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// Parses the notation of `FieldsV1`: a letter, a colon, the rest; `None` for kinds of elements that are not known.
    pub(crate) fn decode(text: &str) -> Result<Option<Self>, serde_json::Error> {
        if text == "." {
            return Ok(None);
        }
        let parts = text.split_once(':').filter(|(prefix, _)| prefix.len() == 1);
        let (prefix, rest) = parts.ok_or_else(|| serde::de::Error::custom("no letter before a colon"))?;
        Ok(match prefix {
            "f" => Some(Self::field(rest)),
            "k" => {
                let keys: Map<String, Value> = serde_json::from_str(rest)?;
                let mut keys: Vec<_> = keys.into_iter().collect();
                keys.sort_by(|(a, _), (b, _)| a.cmp(b));
                Some(Self::Key(keys))
            }
            "v" => Some(Self::Value(serde_json::from_str(rest)?)),
            "i" => Some(Self::Index(serde_json::from_str(rest)?)),
            _ => None,
        })
    }

    /// Returns the notation of `FieldsV1`.
    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let keys = keys.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
                format!("k:{{{}}}", keys.collect::<Vec<_>>().join(","))
            }
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// The notation of conflict messages: `.spec`, `[name="web"]`, `[="x"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let keys = keys.iter().map(|(name, value)| format!("{name}={value}"));
                write!(f, "[{}]", keys.collect::<Vec<_>>().join(","))
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let pairs = a.iter().zip(b);
                let first = pairs
                    .map(|((name, value), (other, value_of_other))| {
                        name.cmp(other).then_with(|| compare(value, value_of_other))
                    })
                    .find(|order| order.is_ne());
                first.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Value(a), Self::Value(b)) => compare(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Element {}

/// Orders any two values; numbers are equal when their values are, whether written `1` or `1.0`.
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => compare_maps(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN)),
    }
}

fn compare_maps(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let sorted = |map: &Map<String, Value>| {
        let mut names: Vec<String> = map.keys().cloned().collect();
        names.sort();
        names
    };
    let (names, names_of_other) = (sorted(a), sorted(b));
    names.cmp(&names_of_other).then_with(|| {
        let pairs = names.iter().filter_map(|name| Some((a.get(name)?, b.get(name)?)));
        pairs.map(|(a, b)| compare(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    })
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}
