//! The schema of one version of a kind, as a whole.

use serde_json::Value;

use crate::rules::{Judged, Rules};
use crate::{FieldError, apply_defaults, lists, unknown_fields, validate};

/// A schema with its compiled rules.
pub struct Schema {
    schema: Value,
    rules: Rules,
}

/// What an object breaks of a schema.
#[derive(Debug, Default)]
pub struct Faults {
    /// Of its structure: types, required and unknown fields, bounds, patterns, formats, repeated items.
    pub structure: Vec<FieldError>,
    /// Of its rules in CEL; empty if the structure has faults, as then the server judges none.
    pub rules: Vec<FieldError>,
}

impl Schema {
    /// Compiles an `openAPIV3Schema`.
    pub fn new(schema: Value) -> Self {
        Self { rules: Rules::of(&schema), schema }
    }

    /// Judges an object that is to be applied; `live` is what it is before, of which nothing is held against it.
    ///
    /// Rules that cannot be evaluated here are passed over.
    ///
    /// # Source
    /// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation>
    pub fn judge(&self, object: &Value, live: Option<&Value>) -> Faults {
        let schema = &self.schema;
        let known: Vec<String> = live.map(|live| unknown_fields(schema, live)).unwrap_or_default();
        let unknown = unknown_fields(schema, object).into_iter().filter(|path| !known.contains(path));
        let mut structure: Vec<FieldError> =
            unknown.map(|path| FieldError::invalid_unshown(path, "field not declared in schema")).collect();
        let mut object = object.clone();
        apply_defaults(schema, &mut object);
        structure.extend(validate::validate(schema, &object, live));
        let repeats = |value: &Value| {
            let mut found = Vec::new();
            lists::check(schema, value, "", &mut found);
            found
        };
        if live.is_none_or(|live| repeats(live).is_empty()) {
            structure.extend(repeats(&object));
        }
        let is_whole = structure.is_empty();
        let rules = is_whole.then(|| self.rules.check(schema, &object, live, Judged::Evaluable));
        Faults { structure, rules: rules.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests;
