//! Plain data: what a manifest, a live object and a file format are made of.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::number::Number;

/// Short text: up to 23 bytes are kept inline, longer text is shared. Cloning never copies the heap.
///
/// Kubernetes' field names fit inline, which is what makes a map key cheap without a global table.
pub type Text = smol_str::SmolStr;

/// A JSON-like value with exact numbers and ordered maps. Cloning is O(1).
///
/// The only type of this crate with serde: the file formats of plan and state live with their owners.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub enum Value {
    /// JSON null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// Unicode text.
    String(Text),
    /// An ordered list.
    List(Arc<Vec<Value>>),
    /// A map, ordered by key.
    Map(Map),
}

impl Value {
    /// Builds a string value.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::String(text.into())
    }

    /// Builds a list value.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// Builds a map value. Of equal keys the last one counts.
    pub fn map<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the entries of a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns a number that is integral and fits `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Returns a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// Returns the field `name` of a map, `None` for other values.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_map()?.get(name)
    }

    /// Returns the value under nested fields: `value.at(&["metadata", "name"])`.
    pub fn at(&self, names: &[&str]) -> Option<&Self> {
        names.iter().try_fold(self, |value, name| value.get(name))
    }

    /// Returns the text under nested fields.
    pub fn str_at(&self, names: &[&str]) -> Option<&str> {
        self.at(names)?.as_str()
    }

    /// Sets the value under nested fields, making missing maps on the way and replacing what is no map.
    pub fn set_at(&mut self, names: &[&str], value: Self) {
        let Some((first, rest)) = names.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Map::default());
        }
        let Self::Map(map) = self else { return };
        if let Some(child) = map.get_mut(first) {
            child.set_at(rest, value);
        } else {
            let mut child = Self::default();
            child.set_at(rest, value);
            map.insert((*first).into(), child);
        }
    }

    /// Removes and returns the value under nested fields.
    pub fn remove_at(&mut self, names: &[&str]) -> Option<Self> {
        let (first, rest) = names.split_first()?;
        let Self::Map(map) = self else { return None };
        if rest.is_empty() {
            return map.remove(first);
        }
        map.get_mut(first)?.remove_at(rest)
    }

    /// Returns the type's name as JSON calls it: `null`, `boolean`, `number`, `string`, `array`, `object`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Number(int.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// Prints compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A map ordered by key: sorted entries in one piece of memory, a third of that of a tree for the small maps of
/// manifests, and none for an empty one. Entries are cheap to change in place, and dear to add or remove one by one.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Map(Arc<[(Text, Value)]>);

impl Map {
    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|idx| &self.0[idx].1)
    }

    /// Returns the value of `key` for change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let idx = self.find(key)?;
        Some(&mut Arc::make_mut(&mut self.0)[idx].1)
    }

    /// Tells whether `key` is present.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Sets `key`, returning the value it replaces.
    pub fn insert(&mut self, key: Text, value: Value) -> Option<Value> {
        match self.position(&key) {
            Ok(idx) => Some(std::mem::replace(&mut Arc::make_mut(&mut self.0)[idx].1, value)),
            Err(idx) => {
                let (before, after) = self.0.split_at(idx);
                let new = std::iter::once((key, value));
                self.0 = before.iter().cloned().chain(new).chain(after.iter().cloned()).collect();
                None
            }
        }
    }

    /// Removes `key`, returning its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let idx = self.find(key)?;
        let removed = self.0[idx].1.clone();
        self.0 = [&self.0[..idx], &self.0[idx + 1..]].concat().into();
        Some(removed)
    }

    /// Keeps the entries for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &mut Value) -> bool) {
        let entries = Arc::make_mut(&mut self.0);
        let kept: Vec<bool> = entries.iter_mut().map(|(key, value)| keep(key, value)).collect();
        if kept.contains(&false) {
            self.0 =
                entries.iter().zip(kept).filter(|(_, kept)| *kept).map(|(entry, _)| entry.clone()).collect();
        }
    }

    /// Returns the entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Returns the keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Text> {
        self.0.iter().map(|(key, _)| key)
    }

    fn find(&self, key: &str) -> Option<usize> {
        // Most maps are small, and most of their keys differ in length already.
        const SMALL: usize = 8;
        if self.len() <= SMALL {
            return self.0.iter().position(|(probe, _)| probe == key);
        }
        self.position(key).ok()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(probe, _)| probe.as_str().cmp(key))
    }
}

/// Of equal keys the last one counts.
impl FromIterator<(Text, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if !is_ordered(&entries) {
            // Reversed first: the sort is stable and `dedup` keeps the first of equal keys.
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(a, _), (b, _)| a == b);
        }
        if entries.is_empty() { Self::default() } else { Self(entries.into()) }
    }
}

/// Tells whether entries are in the order of their keys, and no key is there twice.
fn is_ordered(entries: &[(Text, Value)]) -> bool {
    entries.is_sorted_by(|(a, _), (b, _)| a < b)
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a (Text, Value);
    type IntoIter = std::slice::Iter<'a, (Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items.iter()),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reading::new().deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Map(map) => Ok(map),
            other => {
                Err(serde::de::Error::custom(format_args!("expected an object, found {}", other.kind_name())))
            }
        }
    }
}

/// What has been read of lists and maps that have not ended yet, those within others last.
///
/// All of a document share this memory, so that each list and map is allocated once, as large as it is.
struct Reading {
    items: Vec<Value>,
    entries: Vec<(Text, Value)>,
}

impl Reading {
    fn new() -> Self {
        // As many as an object of Kubernetes has open at once.
        Self { items: Vec::new(), entries: Vec::with_capacity(32) }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reading {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value, E> {
        Ok(Value::Number(int.into()))
    }

    fn visit_u64<E>(self, int: u64) -> Result<Value, E> {
        Ok(Value::Number(int.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, float: f64) -> Result<Value, E> {
        Number::from_f64(float).map(Value::Number).ok_or_else(|| E::custom("number is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let start = self.items.len();
        while let Some(item) = seq.next_element_seed(&mut *self)? {
            self.items.push(item);
        }
        Ok(Value::list(self.items.drain(start..)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let start = self.entries.len();
        while let Some(entry) = map.next_entry_seed(PhantomData, &mut *self)? {
            self.entries.push(entry);
        }
        let entries = &mut self.entries[start..];
        if entries.is_empty() {
            return Ok(Map::default().into());
        }
        if !is_ordered(entries) {
            entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            if !is_ordered(entries) {
                return Err(serde::de::Error::custom("an object has a key twice"));
            }
        }
        Ok(Value::Map(Map(self.entries.drain(start..).collect())))
    }
}

#[cfg(test)]
mod tests;
