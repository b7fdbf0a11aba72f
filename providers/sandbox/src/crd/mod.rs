//! Custom resources: what a `CustomResourceDefinition` makes the server accept, prune, default and refuse.
//!
//! Rules in CEL (`x-kubernetes-validations`) and patterns are accepted but not evaluated; a warning says so when the
//! definition is written.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

mod definition;
mod schema;
mod validate;

use serde_json::{Map, Value, json};

use engine_kinds::builtin::Scope;

use crate::error::GroupResource;
use crate::meta;
use crate::resource::Resource;
use crate::rest::ScalePaths;
use crate::table::{self, Column};

pub(crate) use definition::{
    CLEANUP_FINALIZER, default_definition, establish, mark_terminating, unevaluated, validate_definition,
};
pub(crate) use validate::validate;

/// What a custom resource has beyond a built-in one.
#[derive(Debug, Clone)]
pub(crate) struct CustomVersion {
    /// The version's `openAPIV3Schema`.
    pub schema: Value,
    /// Where replicas are, if the scale subresource is served.
    pub scale: Option<ScalePaths>,
    /// The columns of its tables.
    pub columns: Vec<Column>,
    /// Set on a deprecated version: what to tell its clients.
    pub deprecation: Option<String>,
    /// The name of the definition.
    pub definition: String,
}

/// Where definitions are stored.
pub(crate) fn resource() -> GroupResource {
    GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions")
}

/// The resources of an established definition: one for each served version, the best one preferred.
pub(crate) fn served(definition: &Value) -> Vec<Resource> {
    let is_established = meta::items(&definition["status"]["conditions"])
        .iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
    if !is_established {
        return Vec::new();
    }
    let versions = meta::items(&definition["spec"]["versions"]);
    let mut resources: Vec<_> = versions
        .iter()
        .filter(|version| version["served"] == true)
        .map(|version| serve(definition, version))
        .collect();
    resources.sort_by_key(|resource| std::cmp::Reverse(priority(&resource.version)));
    if let Some(first) = resources.first_mut() {
        first.preferred = true;
    }
    resources
}

fn serve(definition: &Value, version: &Value) -> Resource {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| meta::strings(value).into_iter().map(str::to_owned).collect();
    let (group, name, names) = (text(&spec["group"]), text(&version["name"]), &spec["names"]);
    let schema = version["schema"]["openAPIV3Schema"].clone();
    let scale = version["subresources"].get("scale").map(|scale| ScalePaths {
        spec: text(&scale["specReplicasPath"]).replace('.', "/"),
        status: text(&scale["statusReplicasPath"]).replace('.', "/"),
        selector: scale["labelSelectorPath"].as_str().map(|path| path.replace('.', "/")),
    });
    let mut subresources = Vec::new();
    if version["subresources"]["status"].is_object() {
        subresources.push("status");
    }
    if scale.is_some() {
        subresources.push("scale");
    }
    let api_version = format!("{group}/{name}");
    let deprecation = (version["deprecated"] == true).then(|| {
        let default = format!("{api_version} {} is deprecated", text(&names["kind"]));
        version["deprecationWarning"].as_str().map_or(default, str::to_owned)
    });
    Resource {
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        plural: text(&names["plural"]),
        singular: text(&names["singular"]),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        scope: if spec["scope"] == "Cluster" { Scope::Cluster } else { Scope::Namespaced },
        subresources,
        preferred: false,
        schema: schema::object_type(&schema),
        custom: Some(CustomVersion {
            schema,
            scale,
            columns: table::of_custom(&version["additionalPrinterColumns"]),
            deprecation,
            definition: meta::name(definition).to_owned(),
        }),
        group,
        version: name,
        api_version,
    }
}

/// Orders versions as Kubernetes prefers them: stable before beta before alpha, then the higher number.
///
/// # Source
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority>
fn priority(version: &str) -> (u8, u64, u64) {
    let digits = |text: &str| text.parse::<u64>().ok();
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    for (word, rank) in [("beta", 2), ("alpha", 1)] {
        if let Some((major, minor)) = rest.split_once(word) {
            return digits(major).map_or((0, 0, 0), |major| (rank, major, digits(minor).unwrap_or(0)));
        }
    }
    digits(rest).map_or((0, 0, 0), |major| (3, major, 0))
}

/// Fills in the defaults that a schema states.
///
/// # Source
/// <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting>
pub(crate) fn apply_defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => default_map(schema, map),
        Value::Array(items) => items.iter_mut().for_each(|item| apply_defaults(&schema["items"], item)),
        _ => {}
    }
}

fn default_map(schema: &Value, map: &mut Map<String, Value>) {
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        let is_unset = map.get(name).is_none_or(|found| found.is_null() && property["nullable"] != true);
        if let Some(default) = property.get("default").filter(|_| is_unset) {
            map.insert(name.clone(), default.clone());
        }
        if let Some(found) = map.get_mut(name) {
            apply_defaults(property, found);
        }
    }
    if schema["additionalProperties"].is_object() {
        let known = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
        let rest = map.iter_mut().filter(|(name, _)| !known(name));
        rest.for_each(|(_, found)| apply_defaults(&schema["additionalProperties"], found));
    }
}

/// What a client sees when it asks for a status that no definition has yet.
pub(crate) fn empty_status() -> Value {
    json!({ "acceptedNames": { "kind": "", "plural": "" }, "conditions": [], "storedVersions": [] })
}
