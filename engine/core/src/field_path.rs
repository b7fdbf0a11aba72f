//! Paths to fields inside an object, in Kubernetes' notation.

use std::fmt;

use crate::value::{Map, Text, Value};

/// One step of a path, as `FieldsV1` knows them.
///
/// # Source
/// Kubernetes, Server-Side Apply (`k:`, `v:`, `f:`, `i:` keys of managed fields).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathElement {
    /// A field of a map: `.name`.
    Field(Text),
    /// The item of a list whose key fields have these values: `[name="app"]`.
    Key(KeyFields),
    /// The item of a set with this value: `[="x"]`.
    Item(ScalarText),
    /// The item at a position: `[0]`.
    Index(usize),
}

/// The key fields of a list item, by name; values as compact JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFields(Vec<(Text, ScalarText)>);

/// A scalar as compact JSON text, so that it orders and hashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScalarText(Text);

impl ScalarText {
    /// Builds it from a value.
    pub fn new(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// Tells whether `value` is this scalar.
    pub fn is(&self, value: &Value) -> bool {
        match value {
            // Without escapes, text is what stands between the quotes.
            Value::String(text) if !self.0.contains('\\') => {
                self.0.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(text.as_str())
            }
            value => value.to_string() == self.0.as_str(),
        }
    }

    /// Returns the compact JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyFields {
    /// Builds key fields from a map of scalars.
    pub fn new(map: &Map) -> Self {
        Self(map.iter().map(|(name, value)| (name.clone(), ScalarText::new(value))).collect())
    }

    /// Tells whether a list item has these key values.
    pub fn matches(&self, item: &Value) -> bool {
        self.0.iter().all(|(name, want)| item.get(name).is_some_and(|value| want.is(value)))
    }

    /// Tells whether a list item has some of these key values and none that differs.
    fn are_declared_by(&self, item: &Value) -> bool {
        let values = || self.0.iter().filter_map(|(name, want)| Some((want, item.get(name)?)));
        values().next().is_some() && values().all(|(want, value)| want.is(value))
    }

    /// Tells whether one of the key values is this text.
    fn has(&self, text: &Text) -> bool {
        let text = ScalarText::new(&Value::String(text.clone()));
        self.0.iter().any(|(_, value)| *value == text)
    }

    /// Tells whether a field of the item is one of its keys.
    pub fn names(&self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }

    /// Returns names and values in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &ScalarText)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl PathElement {
    /// Prints the step behind those before it.
    pub(crate) fn print(&self, path: &mut String) {
        match self {
            Self::Field(name) if plain(name) => path.extend([".", name]),
            Self::Field(name) => path.push_str(&format!("[{name:?}]")),
            Self::Key(fields) => {
                for (idx, (name, value)) in fields.iter().enumerate() {
                    path.extend([if idx > 0 { "," } else { "[" }, name, "=", value.as_str()]);
                }
                path.push(']');
            }
            Self::Item(value) => path.extend(["[=", value.as_str(), "]"]),
            Self::Index(idx) => path.push_str(&format!("[{idx}]")),
        }
    }
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        self.print(&mut path);
        f.write_str(&path)
    }
}

/// Returns a printed path as people write it: the first step has no dot.
pub(crate) fn without_dot(path: &str) -> &str {
    path.strip_prefix('.').unwrap_or(path)
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A path from the root of an object to one of its fields: `.spec.replicas`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath(Vec<PathElement>);

impl FieldPath {
    /// Builds a path of map fields.
    pub fn fields<T: Into<Text>>(names: impl IntoIterator<Item = T>) -> Self {
        Self(names.into_iter().map(|name| PathElement::Field(name.into())).collect())
    }

    /// Returns the path one step further.
    #[must_use]
    pub fn join(&self, element: PathElement) -> Self {
        let mut path = self.clone();
        path.0.push(element);
        path
    }

    /// Goes one step further.
    pub fn push(&mut self, element: PathElement) {
        self.0.push(element);
    }

    /// Goes one step back.
    pub fn pop(&mut self) -> Option<PathElement> {
        self.0.pop()
    }

    /// Returns the steps.
    pub fn elements(&self) -> &[PathElement] {
        &self.0
    }

    /// Returns the value at this path.
    pub fn lookup<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, step)
    }

    /// Removes what lies at this path; nothing happens when nothing is there.
    pub fn remove(&self, value: &mut Value) {
        let Some((last, parents)) = self.0.split_last() else {
            return;
        };
        let Some(parent) = parents.iter().try_fold(value, step_mut) else {
            return;
        };
        match (parent, last) {
            (Value::Map(map), PathElement::Field(name)) => drop(map.remove(name)),
            (Value::List(items), element) => {
                if let Some(at) = position(element, items) {
                    std::sync::Arc::make_mut(items).remove(at);
                }
            }
            _ => {}
        }
    }

    /// Sets what lies at this path; nothing happens when its parent is not there.
    pub fn set(&self, value: &mut Value, new: Value) {
        let Some((last, parents)) = self.0.split_last() else {
            return;
        };
        let Some(parent) = parents.iter().try_fold(value, step_mut) else {
            return;
        };
        match (parent, last) {
            (Value::Map(map), PathElement::Field(name)) => drop(map.insert(name.clone(), new)),
            (parent, last) => {
                if let Some(place) = step_mut(parent, last) {
                    *place = new;
                }
            }
        }
    }

    /// Tells whether this path is `other` or lies below it.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Tells whether this path, as people write it, is one of managed fields or lies around it. Positions in lists
    /// are told by `object`; a name in brackets stands for the item of a list that has it as a key:
    /// `containers["app"].image`.
    pub fn covers(&self, path: &Self, object: &Value) -> bool {
        let mut value = Some(object);
        self.0.len() <= path.0.len()
            && self.0.iter().zip(&path.0).all(|(written, element)| {
                let is_item = |item: &Value| names_item(element, usize::MAX, item);
                let same = match (written, element) {
                    (PathElement::Field(name), PathElement::Key(fields)) => fields.has(name),
                    (PathElement::Index(idx), PathElement::Key(_) | PathElement::Item(_)) => {
                        value.and_then(|list| list.as_list()?.get(*idx)).is_some_and(is_item)
                    }
                    _ => written == element,
                };
                value = value.and_then(|value| step(value, element));
                same
            })
    }
}

fn step<'a>(value: &'a Value, element: &PathElement) -> Option<&'a Value> {
    match element {
        PathElement::Field(name) => value.get(name),
        element => {
            let items = value.as_list()?;
            items.get(position(element, items)?)
        }
    }
}

/// Returns where an item stands. One that leaves out keys with a default, as authors do, counts where no item has
/// them all.
fn position(element: &PathElement, items: &[Value]) -> Option<usize> {
    let exact = items.iter().enumerate().position(|(idx, item)| names_item(element, idx, item));
    exact.or_else(|| match element {
        PathElement::Key(fields) => items.iter().position(|item| fields.are_declared_by(item)),
        _ => None,
    })
}

fn step_mut<'a>(value: &'a mut Value, element: &PathElement) -> Option<&'a mut Value> {
    match (value, element) {
        (Value::Map(map), PathElement::Field(name)) => map.get_mut(name),
        (Value::List(items), element) => {
            let at = position(element, items)?;
            std::sync::Arc::make_mut(items).get_mut(at)
        }
        _ => None,
    }
}

fn names_item(element: &PathElement, idx: usize, item: &Value) -> bool {
    match element {
        PathElement::Field(_) => false,
        PathElement::Key(fields) => fields.matches(item),
        PathElement::Item(scalar) => scalar.is(item),
        PathElement::Index(at) => *at == idx,
    }
}

impl FromIterator<PathElement> for FieldPath {
    fn from_iter<I: IntoIterator<Item = PathElement>>(elements: I) -> Self {
        Self(elements.into_iter().collect())
    }
}

/// Prints without the leading dot: `spec.template.spec.containers[name="app"].image`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        self.0.iter().for_each(|element| element.print(&mut path));
        f.write_str(without_dot(&path))
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
