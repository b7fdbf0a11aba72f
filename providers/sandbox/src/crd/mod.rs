//! Custom resources: what a `CustomResourceDefinition` makes the server accept, prune, default and refuse.
//!
//! The costs of rules in CEL (`x-kubernetes-validations`) are not estimated, and types in them are not checked before
//! they are evaluated.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

mod checks;
mod definition;
mod embedded;
mod keywords;
mod names;
mod prune;
mod structure;

use serde_json::Value;

use engine_kinds::builtin::Scope;
pub(crate) use engine_structural::apply_defaults;
use engine_structural::rules::{Judged, Rules};
use engine_structural::{lists, object_type, validate};

use crate::error::{FieldError, GroupResource};
use crate::meta;
use crate::resource::Resource;
use crate::rest::ScalePaths;
use crate::table::{self, Column};

pub(crate) use checks::validate_definition;
pub(crate) use definition::{
    default_definition, establish, first_status, marked_for_deletion, record_stored_version, warnings,
};
pub(crate) use prune::prune_object;

/// What a custom resource has beyond a built-in one.
#[derive(Debug, Clone)]
pub(crate) struct CustomVersion {
    /// The version's `openAPIV3Schema`.
    pub schema: Value,
    /// Its rules in CEL.
    pub rules: Rules,
    /// Where replicas are, if the scale subresource is served.
    pub scale: Option<ScalePaths>,
    /// The fields by which its objects can be selected, as `spec.color`.
    pub selectable: Vec<String>,
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
    if !is_established(definition) {
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

fn is_established(definition: &Value) -> bool {
    meta::items(&definition["status"]["conditions"])
        .iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

fn serve(definition: &Value, version: &Value) -> Resource {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| meta::strings(value).into_iter().map(str::to_owned).collect();
    let (group, name, names) =
        (text(&spec["group"]), text(&version["name"]), &definition["status"]["acceptedNames"]);
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
        let default = || deprecation(definition, &name);
        version["deprecationWarning"].as_str().map_or_else(default, str::to_owned)
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
        schema: object_type(&schema),
        custom: Some(CustomVersion {
            rules: Rules::of(&schema),
            schema,
            scale,
            selectable: meta::items(&version["selectableFields"])
                .iter()
                .map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned())
                .collect(),
            columns: table::of_custom(&version["additionalPrinterColumns"]),
            deprecation,
            definition: meta::name(definition).to_owned(),
        }),
        group,
        version: name,
        api_version,
    }
}

// What a deprecated version is told to be replaced by: the best served version, if that is better.
fn deprecation(definition: &Value, version: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, kind) = (text(&definition["spec"]["group"]), text(&definition["spec"]["names"]["kind"]));
    let others = meta::items(&definition["spec"]["versions"]).iter();
    let fit = others.filter(|other| other["served"] == true && other["deprecated"] != true);
    let best = fit.map(|other| text(&other["name"])).max_by_key(|name| priority(name));
    match best.filter(|best| priority(best) > priority(version)) {
        Some(best) => format!("{group}/{version} {kind} is deprecated; use {group}/{best} {kind}"),
        None => format!("{group}/{version} {kind} is deprecated"),
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

/// An object as its version shows it: without the fields that have left the schema since it was stored, and with
/// defaults that have come.
pub(crate) fn show(custom: &CustomVersion, object: &mut Value) {
    prune_object(&custom.schema, object);
    apply_defaults(&custom.schema, object);
}

/// What a client is told of a custom resource that is accepted: rules that only what did not change breaks, and
/// finalizers that others might use as well.
pub(crate) fn warnings_of(custom: &CustomVersion, object: &Value, live: Option<&Value>) -> Vec<String> {
    let broken = custom.rules.check(&custom.schema, object, live, Judged::Unchanged);
    let mut warnings: Vec<String> = broken.iter().map(ToString::to_string).collect();
    let before = live.map(meta::finalizers).unwrap_or_default();
    for name in meta::finalizers(object).into_iter().filter(|name| !before.contains(name)) {
        if name.contains('/') || ["orphan", "foregroundDeletion", "kubernetes"].contains(&name) {
            continue;
        }
        let path = if name.contains('.') { " including a path (/)" } else { "" };
        warnings.push(format!(
            "metadata.finalizers: {name:?}: prefer a domain-qualified finalizer name{path} to avoid accidental conflicts \
             with other finalizer writers"
        ));
    }
    warnings
}

/// Every rule that a custom resource breaks; `live` is what it was, if it is being changed.
pub(crate) fn validate(
    custom: &CustomVersion,
    object: &Value,
    live: Option<&Value>,
    subresource: &str,
) -> Vec<FieldError> {
    let schema = &custom.schema;
    let mut errors = if subresource == "status" {
        let (schema, old) = (&schema["properties"]["status"], live.and_then(|live| live.get("status")));
        let status = object.get("status").filter(|_| schema.is_object());
        let found = status.map(|status| validate::validate(schema, status, old)).unwrap_or_default();
        found.into_iter().map(|error| error.below("status")).collect()
    } else {
        validate::validate(schema, object, live)
    };
    errors.extend(custom.scale.as_ref().and_then(|scale| scale.fault(object)));
    embedded::check(schema, object, "", &mut errors);
    let mut repeated = Vec::new();
    lists::check(schema, object, "", &mut repeated);
    let mut repeated_before = Vec::new();
    if let Some(live) = live {
        lists::check(schema, live, "", &mut repeated_before);
    }
    if repeated_before.is_empty() {
        errors.append(&mut repeated);
    }
    if custom.rules.is_empty() {
        return errors;
    }
    if errors.iter().any(FieldError::hides_rules) {
        let detail = "some validation rules were not checked because the object was invalid; correct the existing \
                      errors to complete validation";
        errors.push(FieldError::invalid("<nil>", &Value::Null, detail));
    } else {
        errors.extend(custom.rules.check(schema, object, live, Judged::Changed));
    }
    errors
}
