//! Labels and annotations that change together.
//!
//! Kustomize writes a new label with one node of its YAML tree into every place of an object: its own labels, its
//! selector, its template. What changes one of these places later (another layer's `labels`, a strategic merge patch)
//! changes them all. A selector that was given a label by a base thus follows an overlay that only means to set the
//! object's own label. JSON patches take the tree apart, and with it the bond.

use engine_core::value::{Map, Text, Value};

use crate::field_path::{self, Missing};

/// A place of labels or annotations, as in a field's table.
pub(crate) type Place = &'static [&'static str];

/// One entry that stands in several places of an object.
#[derive(Debug, Clone)]
pub(crate) struct SharedPair {
    pub key: Text,
    pub value: Text,
    pub places: Vec<Place>,
}

impl SharedPair {
    /// Gives every place the value that one of them has been given.
    pub(crate) fn follow(&mut self, object: &mut Map) {
        let mut changed = None;
        for place in &self.places {
            self.each(object, place, &mut |value| {
                if let Value::String(text) = &*value
                    && *text != self.value
                {
                    changed = Some(text.clone());
                }
            });
        }
        let Some(changed) = changed else { return };
        for place in &self.places {
            self.each(object, place, &mut |value| {
                if value.as_str() == Some(&self.value) {
                    *value = Value::String(changed.clone());
                }
            });
        }
        self.value = changed;
    }

    fn each(&self, object: &mut Map, place: Place, visitor: &mut dyn FnMut(&mut Value)) {
        // A place that has another shape by now has nothing to follow.
        let _ = field_path::visit(object, place, Missing::Skip, &mut |value| {
            if let Value::Map(map) = value
                && let Some(value) = map.get_mut(&self.key)
            {
                visitor(value);
            }
            Ok(())
        });
    }
}
