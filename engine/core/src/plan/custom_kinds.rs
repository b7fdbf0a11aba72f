//! The kinds of custom resources that a definition brings: how their objects merge, and what they are filled up with.

use std::collections::HashMap;
use std::sync::OnceLock;

use engine_kinds::schema::Type;

use crate::graph::ResourceGraph;
use crate::manifest::Manifest;
use crate::object_ref::{ClusterRef, GroupKind};
use crate::value::{Map, Value};

/// The schema of one version of a kind.
pub struct CustomSchema {
    merges: Type,
    schema: Value,
}

impl CustomSchema {
    /// Takes a version's schema from the definition of its kind; `None` if that has none that is known before apply.
    pub fn of(definition: &Manifest, version: &str) -> Option<Self> {
        let schema = openapi(definition, version)?.clone();
        let merges = engine_structural::object_type(&serde_json::to_value(&schema).ok()?);
        Some(Self { merges, schema })
    }

    /// Returns how objects merge.
    pub(super) fn merges(&self) -> &Type {
        &self.merges
    }

    /// Fills in the defaults, as the server does with all that it is sent.
    ///
    /// # Source
    /// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting>
    pub(super) fn fill(&self, object: &mut Value) {
        fill(&self.schema, object);
    }
}

/// Returns the `openAPIV3Schema` of a version, `None` if the definition has none that is known before apply.
pub(crate) fn openapi<'a>(definition: &'a Manifest, version: &str) -> Option<&'a Value> {
    if !definition.holes().is_empty() {
        return None;
    }
    let versions = definition.body().at(&["spec", "versions"])?.as_list()?;
    let version = versions.iter().find(|it| it.str_at(&["name"]) == Some(version))?;
    version.at(&["schema", "openAPIV3Schema"])
}

fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Map(_) => fill_map(schema, value),
        Value::List(items) => {
            let Some(schema) = schema.get("items") else { return };
            *value = Value::list(items.iter().cloned().map(|mut item| {
                fill(schema, &mut item);
                item
            }));
        }
        _ => {}
    }
}

fn fill_map(schema: &Value, value: &mut Value) {
    let properties = schema.get("properties").and_then(Value::as_map);
    for (name, property) in properties.into_iter().flat_map(Map::iter) {
        if let (None, Some(default)) = (value.get(name), property.get("default")) {
            value.set_at(&[name], default.clone());
        }
    }
    let Value::Map(map) = value else { return };
    let rest = schema.get("additionalProperties");
    let names: Vec<_> = map.iter().map(|(name, _)| name.clone()).collect();
    for name in names {
        let schema = properties.and_then(|it| it.get(&name)).or(rest);
        if let (Some(schema), Some(found)) = (schema, map.get_mut(&name)) {
            fill(schema, found);
        }
    }
}

/// The kinds that the definition of an environment brings, each schema read when it is first asked for.
pub struct CustomKinds<'a>(HashMap<(&'a ClusterRef, GroupKind), Versions<'a>>);

struct Versions<'a> {
    definition: &'a Manifest,
    schemas: HashMap<&'a str, OnceLock<Option<CustomSchema>>>,
}

impl<'a> CustomKinds<'a> {
    /// Finds the kinds.
    pub fn of(graph: &'a ResourceGraph) -> Self {
        let definitions = graph.resources().iter().filter_map(|resource| {
            let definition = resource.manifest()?;
            let kind = definition.defined_kind()?;
            let versions = definition.body().at(&["spec", "versions"]).and_then(Value::as_list);
            let names = versions.into_iter().flatten().filter_map(|version| version.str_at(&["name"]));
            let schemas = names.map(|name| (name, OnceLock::new())).collect();
            Some(((&definition.object_ref().cluster, kind), Versions { definition, schemas }))
        });
        Self(definitions.collect())
    }

    /// Returns the schema of an object, if the definition brings its kind.
    pub fn schema<'s>(&'s self, manifest: &'s Manifest) -> Option<&'s CustomSchema> {
        let object_ref = manifest.object_ref();
        let version = manifest.api_version().version.as_str();
        let versions = self.0.get(&(&object_ref.cluster, object_ref.kind.clone()))?;
        let schema = versions.schemas.get(version)?;
        schema.get_or_init(|| CustomSchema::of(versions.definition, version)).as_ref()
    }
}
