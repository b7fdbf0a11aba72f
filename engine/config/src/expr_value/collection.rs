//! The containers of values, with what is asked of them often already counted.

use std::cmp::Ordering;

use engine_core::value::Text;

use super::{ExprValue, Kind};
use crate::types::Type;

/// What a container knows of everything in it, counted once when it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) weight: u64,
    pub(super) depth: u32,
    sensitive: bool,
    ephemeral: bool,
    unknown: bool,
}

impl Summary {
    /// About the size of one value in memory, text aside.
    const VALUE_BYTES: u64 = 32;

    pub(super) fn leaf(text_len: usize) -> Self {
        let weight = Self::VALUE_BYTES + text_len as u64;
        Self { weight, depth: 0, sensitive: false, ephemeral: false, unknown: false }
    }

    fn container() -> Self {
        Self { depth: 1, ..Self::leaf(0) }
    }

    fn add(&mut self, key_len: usize, value: &ExprValue) {
        let inner = value.measure();
        self.weight = self.weight.saturating_add(inner.weight).saturating_add(key_len as u64);
        self.depth = self.depth.max(inner.depth.saturating_add(1));
        self.sensitive |= value.contains_sensitive();
        self.ephemeral |= value.contains_ephemeral();
        self.unknown |= !value.is_wholly_known();
    }
}

/// The items of a list, tuple or set.
#[derive(Clone, PartialEq, Eq)]
pub struct Items {
    element: Type,
    values: Vec<ExprValue>,
    summary: Summary,
}

impl Items {
    pub(super) fn new(element: Type, values: impl IntoIterator<Item = ExprValue>) -> Self {
        let values: Vec<_> = values.into_iter().map(|value| value.of_type(&element)).collect();
        let mut summary = Summary::container();
        for value in &values {
            summary.add(0, value);
        }
        Self { element, values, summary }
    }

    pub(super) fn into_set(mut self) -> Self {
        if self.summary.sensitive {
            self.values = self.values.iter().map(ExprValue::without_marks).collect();
        }
        self.values.sort_by(order);
        self.values.dedup_by(|a, b| order(a, b).is_eq());
        Self::new(self.element, self.values)
    }

    pub(super) fn without_marks(&self) -> Self {
        Self::new(self.element.clone(), self.values.iter().map(ExprValue::without_marks))
    }

    pub(super) fn summary(&self) -> Summary {
        self.summary
    }

    /// Returns the type of the items of a list or set; [`Type::Any`] for a tuple.
    pub fn element(&self) -> &Type {
        &self.element
    }

    /// Tells whether an item, or any value in one, is sensitive.
    pub fn contains_sensitive(&self) -> bool {
        self.summary.sensitive
    }

    /// Tells whether an item, or any value in one, is ephemeral.
    pub fn contains_ephemeral(&self) -> bool {
        self.summary.ephemeral
    }

    /// Tells whether an item, or any value in one, is known after apply.
    pub fn contains_unknown(&self) -> bool {
        self.summary.unknown
    }
}

impl std::ops::Deref for Items {
    type Target = [ExprValue];

    fn deref(&self) -> &[ExprValue] {
        &self.values
    }
}

/// The entries of a map or object, ordered by key.
#[derive(Clone, PartialEq, Eq)]
pub struct Entries {
    element: Type,
    values: Vec<(Text, ExprValue)>,
    summary: Summary,
}

impl Entries {
    pub(super) fn new(element: Type, entries: impl IntoIterator<Item = (Text, ExprValue)>) -> Self {
        let mut values: Vec<_> =
            entries.into_iter().map(|(key, value)| (key, value.of_type(&element))).collect();
        if !values.is_sorted_by(|(a, _), (b, _)| a < b) {
            // Reversed first: the sort is stable and `dedup` keeps the first of equal keys.
            values.reverse();
            values.sort_by(|(a, _), (b, _)| a.cmp(b));
            values.dedup_by(|(a, _), (b, _)| a == b);
        }
        let mut summary = Summary::container();
        for (key, value) in &values {
            summary.add(key.len(), value);
        }
        Self { element, values, summary }
    }

    pub(super) fn without_marks(&self) -> Self {
        Self::new(self.element.clone(), self.iter().map(|(key, value)| (key.clone(), value.without_marks())))
    }

    pub(super) fn summary(&self) -> Summary {
        self.summary
    }

    /// Returns the type of the values of a map; [`Type::Any`] for an object.
    pub fn element(&self) -> &Type {
        &self.element
    }

    /// Tells whether a value, or any value in one, is sensitive.
    pub fn contains_sensitive(&self) -> bool {
        self.summary.sensitive
    }

    /// Tells whether a value, or any value in one, is ephemeral.
    pub fn contains_ephemeral(&self) -> bool {
        self.summary.ephemeral
    }

    /// Tells whether a value, or any value in one, is known after apply.
    pub fn contains_unknown(&self) -> bool {
        self.summary.unknown
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&ExprValue> {
        let idx = self.values.binary_search_by(|(probe, _)| probe.as_str().cmp(key)).ok()?;
        Some(&self.values[idx].1)
    }

    /// Returns the entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &ExprValue)> + DoubleEndedIterator + Clone {
        self.values.iter().map(|(key, value)| (key, value))
    }

    /// Returns the keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Text> {
        self.values.iter().map(|(key, _)| key)
    }

    /// Returns the values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &ExprValue> {
        self.values.iter().map(|(_, value)| value)
    }
}

/// The order of a set: numbers by value, text by code point, containers by their contents; null comes last.
///
/// Marks take no part in it: values that differ in nothing else are equal.
pub(crate) fn order(a: &ExprValue, b: &ExprValue) -> Ordering {
    match (&a.kind, &b.kind) {
        (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
        (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
        (Kind::String(a), Kind::String(b)) => a.cmp(b),
        (Kind::List(a), Kind::List(b)) | (Kind::Tuple(a), Kind::Tuple(b)) | (Kind::Set(a), Kind::Set(b)) => {
            order_items(a, b)
        }
        (Kind::Map(a), Kind::Map(b)) | (Kind::Object(a), Kind::Object(b)) => order_entries(a, b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn order_items(a: &Items, b: &Items) -> Ordering {
    let by_item = a.iter().zip(b.iter()).map(|(a, b)| order(a, b));
    by_item.into_iter().find(|ordering| ordering.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn order_entries(a: &Entries, b: &Entries) -> Ordering {
    let by_entry =
        a.iter().zip(b.iter()).map(|((key_a, a), (key_b, b))| key_a.cmp(key_b).then_with(|| order(a, b)));
    by_entry.into_iter().find(|ordering| ordering.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Bool(_) => 0,
        Kind::Number(_) => 1,
        Kind::String(_) => 2,
        Kind::List(_) => 3,
        Kind::Tuple(_) => 4,
        Kind::Set(_) => 5,
        Kind::Map(_) => 6,
        Kind::Object(_) => 7,
        Kind::Null => 8,
        Kind::Unknown(_) => 9,
    }
}
