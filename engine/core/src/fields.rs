//! Sets of fields: what a manager owns.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::field_path::{FieldPath, KeyFields, PathElement, ScalarText, without_dot};
use crate::value::{Text, Value};

/// A set of fields as a tree, the content of a managed-fields entry.
///
/// # Source
/// Kubernetes, Server-Side Apply: a `FieldsV1` document nests `f:name`, `k:{…}`, `v:…` and `i:N` keys; the
/// key `.` says that the container itself is owned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSet {
    owned: bool,
    /// In the order of their steps: most sets are small, and every live object has some.
    children: Vec<(PathElement, FieldSet)>,
}

/// The document is no `FieldsV1`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a FieldsV1 document: {0}")]
pub struct FieldsError(String);

impl FieldSet {
    /// Reads a `FieldsV1` document.
    ///
    /// # Errors
    /// The document has a key that is none of `.`, `f:`, `k:`, `v:`, `i:`.
    pub fn decode(document: &Value) -> Result<Self, FieldsError> {
        let map = document.as_map().ok_or_else(|| FieldsError(document.kind_name().into()))?;
        let mut set = Self::default();
        for (key, value) in map.iter() {
            if key == "." {
                set.owned = true;
                continue;
            }
            let mut child = Self::decode(value)?;
            // An empty document marks a leaf.
            child.owned |= child.children.is_empty();
            set.children.push((decode_element(key)?, child));
        }
        if !set.children.is_sorted_by(|(a, _), (b, _)| a < b) {
            let sorted: BTreeMap<_, _> = set.children.into_iter().collect();
            set.children = sorted.into_iter().collect();
        }
        Ok(set)
    }

    /// Adds a path.
    pub fn insert(&mut self, path: &FieldPath) {
        path.elements().iter().fold(self, Self::enter).owned = true;
    }

    /// Returns what lies below a step, which is added where it is missing.
    fn enter(&mut self, element: &PathElement) -> &mut Self {
        let position = self.children.binary_search_by(|(probe, _)| probe.cmp(element));
        let at = position.unwrap_or_else(|at| {
            self.children.insert(at, (element.clone(), Self::default()));
            at
        });
        &mut self.children[at].1
    }

    /// Tells whether the set holds exactly this path.
    pub fn contains(&self, path: &FieldPath) -> bool {
        self.subset(path).is_some_and(|set| set.owned)
    }

    /// Tells whether the set holds this path, one above it that is a leaf, or one below it.
    pub fn touches(&self, path: &FieldPath) -> bool {
        let mut set = self;
        for element in path.elements() {
            match set.child(element) {
                Some(child) => set = child,
                None => return set.owned && set.children.is_empty() && !self.is_empty(),
            }
        }
        true
    }

    /// Returns what the set holds below `path`.
    pub fn subset(&self, path: &FieldPath) -> Option<&Self> {
        path.elements().iter().try_fold(self, Self::child)
    }

    /// Returns the subset below one step.
    pub fn child(&self, element: &PathElement) -> Option<&Self> {
        self.find(|probe| probe.cmp(element))
    }

    fn find(&self, order: impl Fn(&PathElement) -> Ordering) -> Option<&Self> {
        let at = self.children.binary_search_by(|(probe, _)| order(probe)).ok()?;
        Some(&self.children[at].1)
    }

    /// Returns steps and what lies below each.
    pub fn children(&self) -> impl Iterator<Item = (&PathElement, &Self)> {
        self.children.iter().map(|(element, child)| (element, child))
    }

    /// Tells whether the field at the root of this subset is itself owned.
    pub fn is_owned(&self) -> bool {
        self.owned
    }

    /// Tells whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        !self.owned && self.children.is_empty()
    }

    /// Returns all paths in order: leaves, and containers that are owned themselves.
    pub fn paths(&self) -> Vec<FieldPath> {
        let mut paths = Vec::new();
        self.collect(&mut FieldPath::default(), &mut paths);
        paths
    }

    fn collect(&self, path: &mut FieldPath, into: &mut Vec<FieldPath>) {
        if self.owned {
            into.push(path.clone());
        }
        for (element, child) in &self.children {
            path.push(element.clone());
            child.collect(path, into);
            path.pop();
        }
    }

    /// Returns the number of paths.
    pub fn len(&self) -> usize {
        usize::from(self.owned) + self.children.iter().map(|(_, child)| child.len()).sum::<usize>()
    }

    /// Prints each of the paths in order, one after the other into the same memory.
    pub fn each_path(&self, sink: &mut dyn FnMut(&str)) {
        self.print(&mut String::new(), sink);
    }

    fn print(&self, path: &mut String, sink: &mut dyn FnMut(&str)) {
        if self.owned {
            sink(without_dot(path));
        }
        for (element, child) in &self.children {
            let end = path.len();
            element.print(path);
            child.print(path, sink);
            path.truncate(end);
        }
    }

    /// Returns the leaves: paths with nothing below them.
    pub fn leaves(&self) -> Vec<FieldPath> {
        self.paths()
            .into_iter()
            .filter(|path| self.subset(path).is_some_and(|set| set.children.is_empty()))
            .collect()
    }

    /// Returns the part of `value` that this set covers, list order kept; `None` when nothing is there.
    ///
    /// A leaf covers all below it. A container that is owned itself but has children gives only them, or an
    /// empty container.
    pub fn extract(&self, value: &Value) -> Option<Value> {
        if self.children.is_empty() {
            return self.owned.then(|| value.clone());
        }
        match value {
            Value::Map(map) => {
                let mut extracted = Vec::with_capacity(map.len().min(self.children.len()));
                let fields = map.iter();
                extracted.extend(
                    fields
                        .filter_map(|(name, field)| Some((name.clone(), self.field(name)?.extract(field)?))),
                );
                (self.owned || !extracted.is_empty()).then(|| Value::Map(extracted.into_iter().collect()))
            }
            Value::List(items) => {
                let extracted =
                    items.iter().enumerate().filter_map(|(idx, item)| self.item(idx, item)?.extract(item));
                Some(Value::list(extracted))
            }
            scalar => self.owned.then(|| scalar.clone()),
        }
    }

    fn field(&self, name: &Text) -> Option<&Self> {
        self.find(|probe| match probe {
            PathElement::Field(probe) => probe.cmp(name),
            // Fields come first.
            _ => Ordering::Greater,
        })
    }

    /// Returns the subset of a list item, found by key, by value or by position.
    pub fn item(&self, idx: usize, item: &Value) -> Option<&Self> {
        self.item_element(idx, item).and_then(|element| self.child(element))
    }

    /// Returns how this set names a list item.
    pub fn item_element(&self, idx: usize, item: &Value) -> Option<&PathElement> {
        self.children.iter().map(|(element, _)| element).find(|element| match element {
            PathElement::Key(fields) => fields.matches(item),
            PathElement::Item(value) => value.is(item),
            PathElement::Index(at) => *at == idx,
            PathElement::Field(_) => false,
        })
    }
}

fn decode_element(key: &str) -> Result<PathElement, FieldsError> {
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| FieldsError(key.into()));
    match key.split_at_checked(2) {
        Some(("f:", name)) => Ok(PathElement::Field(name.into())),
        Some(("v:", text)) => Ok(PathElement::Item(ScalarText::new(&json(text)?))),
        Some(("i:", text)) => text.parse().map(PathElement::Index).map_err(|_| FieldsError(key.into())),
        Some(("k:", text)) => match json(text)? {
            Value::Map(map) => Ok(PathElement::Key(KeyFields::new(&map))),
            _ => Err(FieldsError(key.into())),
        },
        _ => Err(FieldsError(key.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str) -> FieldSet {
        FieldSet::decode(&serde_json::from_str(json).unwrap()).unwrap()
    }

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    const FIELDS: &str = r#"{"f:metadata":{"f:labels":{".":{},"f:app":{}}},
        "f:spec":{"f:replicas":{},"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}"#;

    #[test]
    fn paths_print_as_kubernetes_prints_them() {
        let paths: Vec<String> = set(FIELDS).paths().iter().map(ToString::to_string).collect();
        assert_eq!(
            paths,
            [
                "metadata.labels",
                "metadata.labels.app",
                "spec.ports[port=80,protocol=\"TCP\"]",
                "spec.ports[port=80,protocol=\"TCP\"].port",
                "spec.replicas"
            ]
        );
        let mut printed = Vec::new();
        set(FIELDS).each_path(&mut |path| printed.push(path.to_owned()));
        assert_eq!((printed.len(), printed), (set(FIELDS).len(), paths));
    }

    #[test]
    fn values_are_extracted_in_live_order() {
        let live = value(
            r#"{"metadata":{"labels":{"app":"web","other":"x"},"name":"n"},
                "spec":{"replicas":3,"ports":[{"port":81,"protocol":"TCP"},{"port":80,"protocol":"TCP"}]}}"#,
        );
        assert_eq!(
            set(FIELDS).extract(&live).unwrap().to_string(),
            r#"{"metadata":{"labels":{"app":"web"}},"spec":{"ports":[{"port":80}],"replicas":3}}"#
        );
    }

    #[test]
    fn documents_that_are_no_field_sets_are_refused() {
        for json in ["[]", r#"{"x":{}}"#, r#"{"k:[]":{}}"#, r#"{"i:x":{}}"#, r#"{"f:a":1}"#] {
            assert!(FieldSet::decode(&value(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn a_set_that_is_read_is_the_set_that_is_built() {
        // As text, 10 comes before 9.
        let read = set(r#"{"f:l":{"i:10":{},"i:9":{}},"f:m":{".":{},"f:b":{},"f:a":{}}}"#);
        let mut built = FieldSet::default();
        for steps in [["m", "b"], ["m", "a"]] {
            built.insert(&FieldPath::fields(steps));
        }
        built.insert(&FieldPath::fields(["m"]));
        for idx in [10, 9] {
            built.insert(&FieldPath::fields(["l"]).join(PathElement::Index(idx)));
        }
        assert_eq!(read, built);
        assert!(read.paths().iter().all(|path| read.contains(path)));
    }

    #[test]
    fn a_leaf_touches_all_below_it() {
        let set = set(r#"{"f:spec":{"f:selector":{}}}"#);
        let path = |names: &[&str]| FieldPath::fields(names.iter().copied());
        assert!(set.touches(&path(&["spec"])));
        assert!(set.touches(&path(&["spec", "selector", "app"])));
        assert!(!set.touches(&path(&["spec", "replicas"])));
    }
}
