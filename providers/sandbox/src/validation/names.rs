//! Names, labels, annotations and finalizers.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::syntax;
use crate::controllers::garbage::{FOREGROUND, ORPHAN};
use crate::error::FieldError;
use crate::meta;
use crate::resource::Resource;

pub(crate) use syntax::{label_value as value_faults, qualified as key_faults};

/// All annotations of an object together, in bytes.
const ANNOTATION_LIMIT: usize = 256 * 1024;

/// The form of the names of a kind's objects.
fn form_of(resource: &Resource) -> fn(&str) -> Vec<String> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.custom.is_some() => syntax::subdomain,
        ("", "namespaces" | "services") | ("apps", "statefulsets") => syntax::label,
        ("rbac.authorization.k8s.io", _) => syntax::path_segment,
        _ => syntax::subdomain,
    }
}

/// What is wrong with a label of DNS that begins with a letter, if anything.
pub(crate) fn dns_label_fault(text: &str) -> Option<String> {
    let faults = syntax::dns_label(text);
    (!faults.is_empty()).then(|| faults.join(","))
}

/// What is wrong with a name of DNS, if anything.
pub(crate) fn subdomain_fault(text: &str) -> Option<String> {
    let faults = syntax::subdomain(text);
    (!faults.is_empty()).then(|| faults.join(","))
}

/// The rules on the metadata of a new object.
pub(super) fn check(resource: &Resource, object: &Value) -> Vec<FieldError> {
    let form = form_of(resource);
    let mut errors = Checks::run(|checks| {
        let prefix = meta::text(object, "generateName");
        if !prefix.is_empty() {
            // What is drawn follows a dash, which alone must not end a name.
            let start = prefix.strip_suffix('-').filter(|start| !start.is_empty()).unwrap_or(prefix);
            let shown = json!(prefix);
            form(start).iter().for_each(|fault| checks.invalid("metadata.generateName", &shown, fault));
        }
        let name = meta::name(object);
        if name.is_empty() {
            checks.required("metadata.name", "name or generateName is required");
        } else {
            checks.form("metadata.name", name, form);
        }
    });
    errors.extend(check_metadata(object));
    errors
}

/// The rules on labels, annotations, owners and finalizers.
pub(crate) fn check_metadata(object: &Value) -> Vec<FieldError> {
    let metadata = &object["metadata"];
    Checks::run(|checks| {
        checks.labels("metadata.labels", &metadata["labels"]);
        checks.annotations("metadata.annotations", &metadata["annotations"]);
        let annotations = metadata["annotations"].as_object().into_iter().flatten();
        let size: usize = annotations.map(|(key, value)| key.len() + text(value).len()).sum();
        if size > ANNOTATION_LIMIT {
            checks.push(FieldError::too_long("metadata.annotations", ANNOTATION_LIMIT as u64));
        }
        check_finalizer_names(checks, &metadata["finalizers"]);
        check_owners(checks, &metadata["ownerReferences"]);
    })
}

fn check_owners(checks: &mut Checks, owners: &Value) {
    let mut controller: Option<String> = None;
    for owner in meta::items(owners) {
        let version = text(&owner["apiVersion"]);
        if version.is_empty() || version.matches('/').count() > 1 {
            let shown = json!(version);
            checks.invalid("metadata.ownerReferences.apiVersion", &shown, "version must not be empty");
        }
        for field in ["kind", "name", "uid"] {
            if text(&owner[field]).is_empty() {
                checks.invalid(format!("metadata.ownerReferences.{field}"), &json!(""), "must not be empty");
            }
        }
        if version == "v1" && owner["kind"] == "Event" {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            checks.push(FieldError::invalid_as("metadata.ownerReferences", &shown_owner(owner), detail));
        }
        if owner["controller"] != true {
            continue;
        }
        let name = format!("{}/{}", text(&owner["kind"]), text(&owner["name"]));
        if let Some(other) = &controller {
            let all: Vec<_> = meta::items(owners).iter().map(shown_owner).collect();
            let detail = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {other} and {name}"
            );
            let shown = format!("[{}]", all.join(","));
            checks.push(FieldError::invalid_as("metadata.ownerReferences", &shown, &detail));
        } else {
            controller = Some(name);
        }
    }
}

// The owner with its fields in the order of Kubernetes' type.
fn shown_owner(owner: &Value) -> String {
    let fields = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let stated = fields.iter().filter(|field| !owner[**field].is_null());
    let list: Vec<_> = stated.map(|field| format!("{field:?}:{}", owner[*field])).collect();
    format!("{{{}}}", list.join(","))
}

fn check_finalizer_names(checks: &mut Checks, finalizers: &Value) {
    let names = meta::strings(finalizers);
    for name in &names {
        checks.form("metadata.finalizers", name, syntax::qualified);
    }
    if [ORPHAN, FOREGROUND].iter().all(|name| names.contains(name)) {
        let detail = format!("finalizer {ORPHAN} and {FOREGROUND} cannot be both set");
        checks.invalid("metadata.finalizers", finalizers, &detail);
    }
}

/// Finalizers of Kubernetes itself, whose names have no domain.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", ORPHAN, FOREGROUND];

/// Built-in kinds want a domain in the names of finalizers.
pub(super) fn check_finalizer_domains(object: &Value) -> Vec<FieldError> {
    let is_bare = |name: &&str| !name.contains('/') && !STANDARD_FINALIZERS.contains(name);
    let finalizers = meta::finalizers(object).into_iter().enumerate().filter(|(_, name)| is_bare(name));
    let why = "name is neither a standard finalizer name nor is it fully qualified";
    finalizers
        .map(|(idx, name)| FieldError::invalid(format!("metadata.finalizers[{idx}]"), &json!(name), why))
        .collect()
}

/// The rules on a change of metadata.
///
/// # Source
/// `ValidateObjectMetaAccessorUpdate` of the package `k8s.io/apimachinery/pkg/api/validation`
pub(super) fn check_change(live: &Value, object: &Value) -> Vec<FieldError> {
    let changed = |field: &&str| live["metadata"][*field] != object["metadata"][*field];
    let fixed =
        ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];
    let mut errors: Vec<FieldError> = check_finalizers(live, object).into_iter().collect();
    errors.extend(fixed.into_iter().filter(changed).map(|field| {
        FieldError::invalid(format!("metadata.{field}"), &object["metadata"][field], "field is immutable")
    }));
    errors.extend(check_metadata(object));
    errors
}

// An object that is being deleted takes no new finalizers.
fn check_finalizers(live: &Value, object: &Value) -> Option<FieldError> {
    if !meta::is_terminating(live) {
        return None;
    }
    let old = meta::finalizers(live);
    let new: Vec<_> = meta::finalizers(object).into_iter().filter(|name| !old.contains(name)).collect();
    let list: Vec<_> = new.iter().map(|name| format!("{name:?}")).collect();
    (!new.is_empty()).then(|| {
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            list.join(", ")
        );
        FieldError::forbidden("metadata.finalizers", &detail)
    })
}
