//! Custom resources whose kind this plan brings or changes: no server can say yet whether it will take them.

use std::collections::HashMap;

use engine_structural::{FieldError, Schema};
use serde_json::Value as Json;

use super::namespace::Declared;
use super::world::World;
use super::{BROKEN_RULE, BROKEN_SCHEMA, about, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::object_ref::{ClusterRef, GroupKind};
use crate::plan::custom_kinds::openapi;
use crate::plan::redact;
use crate::value::Value;

/// Judges what the plan writes by the schema that their kind will have.
///
/// # Source
/// Kubernetes, Extend the Kubernetes API with `CustomResourceDefinitions`: validation.
pub(super) fn check(world: &World<'_>, found: &mut Diagnostics) {
    let kinds = world.declared.iter().filter(|it| it.is_written()).filter_map(|definition| {
        let kind = definition.resource.manifest()?.defined_kind()?;
        Some(((&definition.object_ref().cluster, kind), *definition))
    });
    let kinds: HashMap<(&ClusterRef, GroupKind), Declared<'_>> = kinds.collect();
    if kinds.is_empty() {
        return;
    }
    let mut schemas: HashMap<(&ClusterRef, &GroupKind, &str), Option<Schema>> = HashMap::new();
    for object in world.declared.iter().filter(|it| it.is_written()) {
        let Some(manifest) = object.resource.manifest().filter(|it| it.holes().is_empty()) else { continue };
        let (object_ref, version) = (object.object_ref(), manifest.api_version().version.as_str());
        let Some(definition) = kinds.get(&(&object_ref.cluster, object_ref.kind.clone())) else { continue };
        let schema = schemas.entry((&object_ref.cluster, &object_ref.kind, version));
        if let Some(schema) = schema.or_insert_with(|| schema_of(definition, version)) {
            judge(world, (object, manifest), (definition, schema), found);
        }
    }
}

/// Returns the schema of a version, `None` if the definition has none that can be judged by.
fn schema_of(definition: &Declared<'_>, version: &str) -> Option<Schema> {
    json(openapi(definition.resource.manifest()?, version)?).map(Schema::new)
}

fn json(value: &Value) -> Option<Json> {
    serde_json::to_value(value).ok()
}

fn judge(
    world: &World<'_>,
    (object, manifest): (&Declared<'_>, &Manifest),
    (definition, schema): (&Declared<'_>, &Schema),
    found: &mut Diagnostics,
) {
    let Some(predicted) = json(world.predicted(object).unwrap_or(manifest.body())) else { return };
    let live = world.live(object.object_ref()).and_then(json);
    let faults = schema.judge(&predicted, live.as_ref());
    let name = definition.object_ref();
    for (faults, what, code) in
        [(faults.structure, "schema", BROKEN_SCHEMA), (faults.rules, "rules", BROKEN_RULE)]
    {
        if faults.is_empty() {
            continue;
        }
        let summary = format!("{} breaks the {what} of {name}", object.object_ref());
        let mut texts: Vec<String> = faults.iter().map(FieldError::to_string).collect();
        texts.dedup();
        let detail = redact(&some_of(&texts), manifest);
        let diagnostic = match code {
            BROKEN_SCHEMA => Diagnostic::error(code, summary),
            _ => Diagnostic::warning(code, summary),
        };
        let hint =
            "correct the fields named above, or the definition of the kind, which this plan also writes";
        found.push(about(object.resource, diagnostic.detail(detail).hint(hint)));
    }
}

#[cfg(test)]
mod tests;
