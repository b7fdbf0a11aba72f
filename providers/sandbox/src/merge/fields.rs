//! Sets of field paths: what a manager owns.

use std::collections::BTreeMap;

use engine_kinds::schema::{MapRelation, Type};
use serde_json::{Map, Value};

use super::element::Element;

/// A set of paths, as a tree. A path in the set need not be a leaf: owning a list element is a path of its
/// own beside the paths of the fields in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet(BTreeMap<Element, Node>);

/// Invariant: a node is a member or has children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    children: FieldSet,
}

/// The text is no `FieldsV1`.
#[derive(Debug)]
pub(crate) struct NotFieldsV1;

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, path: &[Element]) {
        let Some((last, parents)) = path.split_last() else {
            return;
        };
        let parent =
            parents.iter().fold(self, |set, step| &mut set.0.entry(step.clone()).or_default().children);
        parent.0.entry(last.clone()).or_default().member = true;
    }

    /// Returns whether the entry itself is in the set.
    pub(crate) fn has(&self, entry: &Element) -> bool {
        self.0.get(entry).is_some_and(|node| node.member)
    }

    /// Returns whether a path is in the set.
    pub(crate) fn contains(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.has(last),
            [first, rest @ ..] => self.below(first).is_some_and(|below| below.contains(rest)),
        }
    }

    /// Returns what of the set lies below an entry, if anything does.
    pub(crate) fn below(&self, entry: &Element) -> Option<&Self> {
        self.0.get(entry).map(|node| &node.children).filter(|children| !children.is_empty())
    }

    /// Returns the paths that are in either set.
    pub(crate) fn union(mut self, other: &Self) -> Self {
        for (step, theirs) in &other.0 {
            let node = self.0.entry(step.clone()).or_default();
            node.member |= theirs.member;
            node.children = std::mem::take(&mut node.children).union(&theirs.children);
        }
        self
    }

    /// Returns the paths that are not in the other set; paths below a removed one stay.
    pub(crate) fn difference(mut self, other: &Self) -> Self {
        for (step, theirs) in &other.0 {
            if let Some(node) = self.0.get_mut(step) {
                node.member &= !theirs.member;
                node.children = std::mem::take(&mut node.children).difference(&theirs.children);
                if node.is_void() {
                    self.0.remove(step);
                }
            }
        }
        self
    }

    /// Returns the paths that are in both sets.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let shared = self.0.iter().filter_map(|(step, mine)| {
            let theirs = other.0.get(step)?;
            let children = mine.children.intersection(&theirs.children);
            let node = Node { member: mine.member && theirs.member, children };
            (!node.is_void()).then(|| (step.clone(), node))
        });
        Self(shared.collect())
    }

    /// Drops top-level fields with everything below them.
    pub(crate) fn without_fields(mut self, names: &[&str]) -> Self {
        for name in names {
            self.0.remove(&Element::field(name));
        }
        self
    }

    /// Returns the set with every declared field on the way to a path added: owning `spec.replicas` then
    /// includes `spec`, while entries of free-form maps and lists stay out.
    pub(crate) fn with_declared_parents(mut self, ty: Option<&Type>) -> Self {
        for (step, node) in &mut self.0 {
            let declared = |name: &str| {
                ty.and_then(|ty| ty.shape().map.as_ref()).is_some_and(|map| map.fields.contains_key(name))
            };
            let below = std::mem::take(&mut node.children);
            if let Element::Field(name) = step {
                node.member |= !below.is_empty() && declared(name);
            }
            node.children = below.with_declared_parents(ty.and_then(|ty| entry_type(ty, step)));
        }
        self
    }

    /// Returns the set as the schema of today would have it: what became atomic is owned as a whole.
    pub(crate) fn reconciled(mut self, ty: &Type) -> Self {
        for (step, node) in &mut self.0 {
            let Some(ty) = entry_type(ty, step) else { continue };
            if node.children.is_empty() {
                continue;
            }
            if is_atomic(ty) {
                *node = Node { member: true, children: Self::default() };
            } else {
                node.children = std::mem::take(&mut node.children).reconciled(ty);
            }
        }
        self
    }

    /// Returns all paths as Kubernetes prints them, those of a level before those below it.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths("", &mut paths);
        paths
    }

    fn collect_paths(&self, prefix: &str, paths: &mut Vec<String>) {
        let members = self.0.iter().filter(|(_, node)| node.member);
        paths.extend(members.map(|(step, _)| format!("{prefix}{step}")));
        for (step, node) in &self.0 {
            node.children.collect_paths(&format!("{prefix}{step}"), paths);
        }
    }

    /// Reads `fieldsV1`. Kinds of elements that are not known are passed over.
    pub(crate) fn decode(fields: &Value) -> Result<Self, NotFieldsV1> {
        let mut set = Self::default();
        for (text, below) in fields.as_object().ok_or(NotFieldsV1)? {
            let Some(step) = Element::decode(text).map_err(|_| NotFieldsV1)? else {
                continue;
            };
            let children = Self::decode(below)?;
            let member = children.is_empty() || below.get(".").is_some();
            set.0.insert(step, Node { member, children });
        }
        Ok(set)
    }

    /// Writes `fieldsV1`.
    pub(crate) fn encode(&self) -> Value {
        let entry = |(step, node): (&Element, &Node)| {
            let mut below = Map::new();
            if node.member && !node.children.is_empty() {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            if let Value::Object(children) = node.children.encode() {
                below.extend(children);
            }
            (step.encode(), Value::Object(below))
        };
        Value::Object(self.0.iter().map(entry).collect())
    }
}

impl Node {
    fn is_void(&self) -> bool {
        !self.member && self.children.is_empty()
    }
}

fn entry_type<'t>(ty: &'t Type, step: &Element) -> Option<&'t Type> {
    match step {
        Element::Field(name) => ty.field(name),
        _ => ty.element(),
    }
}

/// Returns whether a type leaves no choice but to be owned as a whole.
fn is_atomic(ty: &Type) -> bool {
    let shape = ty.shape();
    match (&shape.list, &shape.map) {
        (Some(list), None) => list.relation == engine_kinds::schema::ListRelation::Atomic,
        (None, Some(map)) => map.relation == MapRelation::Atomic,
        _ => false,
    }
}
