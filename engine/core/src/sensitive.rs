//! Which fields of an object are sensitive.

use std::collections::BTreeMap;

use crate::field_path::{FieldPath, PathElement};
use crate::object_ref::GroupKind;
use crate::value::Text;

/// The annotation in which client-side apply repeats the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A set of sensitive fields. Steps into lists are transparent: if one item's `value` is sensitive, every
/// item's is, because a live list may be in another order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SensitivePaths {
    all: bool,
    fields: BTreeMap<Text, SensitivePaths>,
}

impl SensitivePaths {
    /// Returns what is sensitive in every object of a kind: the payload of Secrets, and copies of it.
    pub fn of_kind(kind: &GroupKind) -> Self {
        let mut paths = Self::default();
        if kind.is("", "Secret") {
            paths.insert(&FieldPath::fields(["data"]));
            paths.insert(&FieldPath::fields(["stringData"]));
            paths.insert(&FieldPath::fields(["metadata", "annotations", LAST_APPLIED]));
        }
        paths
    }

    /// Adds a field and all below it.
    pub fn insert(&mut self, path: &FieldPath) {
        let mut paths = self;
        for element in path.elements() {
            if let PathElement::Field(name) = element {
                paths = paths.fields.entry(name.clone()).or_default();
            }
        }
        paths.all = true;
    }

    /// Tells whether the field lies in a sensitive one.
    pub fn covers(&self, path: &FieldPath) -> bool {
        let mut paths = self;
        for element in path.elements() {
            if paths.all {
                return true;
            }
            if let PathElement::Field(name) = element {
                match paths.fields.get(name) {
                    Some(below) => paths = below,
                    None => return false,
                }
            }
        }
        paths.all
    }

    /// Tells whether the field lies in a sensitive one or holds one.
    pub fn touches(&self, path: &FieldPath) -> bool {
        let fields = path.elements().iter().filter_map(|element| match element {
            PathElement::Field(name) => Some(name),
            _ => None,
        });
        let mut paths = self;
        for name in fields {
            if paths.all {
                return true;
            }
            match paths.fields.get(name) {
                Some(below) => paths = below,
                None => return false,
            }
        }
        paths.all || !paths.fields.is_empty()
    }

    /// Tells whether nothing is sensitive.
    pub fn is_empty(&self) -> bool {
        !self.all && self.fields.is_empty()
    }

    /// Tells whether everything from here down is sensitive.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Returns what is sensitive below a map field.
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.fields.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_transparent() {
        let mut paths = SensitivePaths::default();
        paths.insert(
            &FieldPath::fields(["spec", "env"])
                .join(PathElement::Index(2))
                .join(PathElement::Field("value".into())),
        );
        let item = |field: &str| {
            FieldPath::fields(["spec", "env"])
                .join(PathElement::Index(0))
                .join(PathElement::Field(field.into()))
        };
        assert!(paths.covers(&item("value")));
        assert!(!paths.covers(&item("name")));
        assert!(paths.touches(&FieldPath::fields(["spec"])));
        assert!(!paths.covers(&FieldPath::fields(["spec"])));
    }
}
