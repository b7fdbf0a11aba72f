//! `CustomResourceDefinitions` as objects: their defaults, rules, status and deletion.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/>

use serde_json::{Map, Value, json};

use super::resource;
use crate::cluster::Cluster;
use crate::error::{ApiResult, FieldError};
use crate::meta;
use crate::request::{DeleteOptions, DryRun, Propagation};
use crate::rest;
use crate::store::Key;

/// The finalizer that waits for the objects of a definition being deleted.
pub(crate) const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Fills in what a definition leaves out.
pub(crate) fn default_definition(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    spec.entry("conversion").or_insert_with(|| json!({ "strategy": "None" }));
    let names = spec.entry("names").or_insert_with(|| json!({}));
    let kind = names["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(names) = names.as_object_mut().filter(|_| !kind.is_empty()) {
        let is_unset = |names: &Map<String, Value>, key: &str| names.get(key).is_none_or(|name| name == "");
        if is_unset(names, "singular") {
            names.insert("singular".into(), json!(kind.to_lowercase()));
        }
        if is_unset(names, "listKind") {
            names.insert("listKind".into(), json!(format!("{kind}List")));
        }
    }
}

/// Every rule that a definition breaks.
pub(crate) fn validate_definition(object: &Value, before: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &object["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let expected = format!("{plural}.{group}");
    if meta::name(object) != expected {
        let detail = "must be spec.names.plural+\".\"+spec.group".to_string();
        errors.push(FieldError::invalid("metadata.name", &json!(meta::name(object)), &detail));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid(
            "spec.group",
            &json!(group),
            "should be a domain with at least one dot",
        ));
    }
    match spec["scope"].as_str() {
        None | Some("") => errors.push(FieldError::required("spec.scope", "")),
        Some("Cluster" | "Namespaced") => {}
        Some(_) => {
            let known = ["Cluster", "Namespaced"].map(str::to_owned);
            errors.push(FieldError::unsupported("spec.scope", &spec["scope"], &known));
        }
    }
    check_versions(object, &mut errors);
    for name in ["plural", "singular", "kind", "listKind"] {
        if text(&spec["names"][name]).is_empty() {
            errors.push(FieldError::required(format!("spec.names.{name}"), ""));
        }
    }
    if spec["conversion"]["strategy"] == "Webhook"
        && !spec["conversion"]["webhook"]["clientConfig"].is_object()
    {
        let detail = "required when strategy is set to Webhook";
        errors.push(FieldError::required("spec.conversion.webhookClientConfig", detail));
    }
    if let Some(before) = before {
        check_unchanged(object, before, &mut errors);
    }
    errors
}

fn check_versions(object: &Value, errors: &mut Vec<FieldError>) {
    let versions = meta::items(&object["spec"]["versions"]);
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", &json!(versions), detail));
    }
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        let schema = &version["schema"]["openAPIV3Schema"];
        if !schema.is_object() {
            errors.push(FieldError::required(path, "schemas are required"));
            continue;
        }
        match schema["type"].as_str() {
            Some("object") => {}
            None | Some("") => {
                errors.push(FieldError::required(format!("{path}.type"), "must not be empty at the root"));
            }
            Some(_) => {
                let detail = "must be object at the root";
                errors.push(FieldError::invalid(format!("{path}.type"), &schema["type"], detail));
            }
        }
        check_structure(schema, &path, errors);
    }
}

// A structural schema states the type of everything below its root.
fn check_structure(schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let children = schema["properties"].as_object().into_iter().flatten();
    let children = children.map(|(name, child)| (format!("{path}.properties[{name}]"), child));
    let additional = Some(&schema["additionalProperties"]).filter(|child| child.is_object());
    let items = Some(&schema["items"]).filter(|child| child.is_object());
    let others = additional
        .map(|child| (format!("{path}.additionalProperties"), child))
        .into_iter()
        .chain(items.map(|child| (format!("{path}.items"), child)));
    for (path, child) in children.chain(others) {
        let is_free = child["x-kubernetes-int-or-string"] == true
            || child["x-kubernetes-preserve-unknown-fields"] == true;
        if child["type"].as_str().is_none_or(str::is_empty) && !is_free {
            let detail = "must not be empty for specified object fields";
            errors.push(FieldError::required(format!("{path}.type"), detail));
        }
        check_structure(child, &path, errors);
    }
}

fn check_unchanged(object: &Value, before: &Value, errors: &mut Vec<FieldError>) {
    let versions = meta::items(&object["spec"]["versions"]);
    for (index, stored) in meta::strings(&before["status"]["storedVersions"]).into_iter().enumerate() {
        if !versions.iter().any(|version| version["name"] == stored) {
            let detail = format!(
                "missing from spec.versions; {stored} was previously a storage version, and must remain in \
                 spec.versions until a storage migration ensures no data remains persisted in {stored} and removes \
                 {stored} from status.storedVersions"
            );
            errors.push(FieldError::invalid(
                format!("status.storedVersions[{index}]"),
                &json!(stored),
                &detail,
            ));
        }
    }
    for path in ["/spec/group", "/spec/scope", "/spec/names/kind", "/spec/names/plural"] {
        let (was, is) = (before.pointer(path), object.pointer(path));
        if was != is {
            let field = path.trim_start_matches('/').replace('/', ".");
            errors.push(FieldError::invalid(field, is.unwrap_or(&Value::Null), "field is immutable"));
        }
    }
}

/// Warnings on the rules of a definition that the sandbox does not evaluate.
pub(crate) fn unevaluated(definition: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for version in meta::items(&definition["spec"]["versions"]) {
        let schema = &version["schema"]["openAPIV3Schema"];
        for (key, noun) in [("x-kubernetes-validations", "CEL rules"), ("pattern", "patterns")] {
            if mentions(schema, key) {
                let name = version["name"].as_str().unwrap_or_default();
                warnings.push(format!("the sandbox does not evaluate the {noun} of version {name}"));
            }
        }
    }
    warnings
}

// Names of properties are not keywords.
fn mentions(schema: &Value, keyword: &str) -> bool {
    let Value::Object(map) = schema else {
        return meta::items(schema).iter().any(|child| mentions(child, keyword));
    };
    map.contains_key(keyword)
        || map.iter().any(|(key, child)| match key.as_str() {
            "properties" => {
                child.as_object().is_some_and(|fields| fields.values().any(|field| mentions(field, keyword)))
            }
            "default" | "enum" | "example" => false,
            _ => mentions(child, keyword),
        })
}

/// Says in the status that deletion was asked.
pub(crate) fn mark_terminating(definition: &mut Value) {
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    let time = meta::now();
    push_condition(definition, ("Terminating", "True", "InstanceDeletionPending", message), &time);
}

fn push_condition(
    definition: &mut Value,
    (kind, status, reason, message): (&str, &str, &str, &str),
    time: &str,
) {
    let condition = json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time,
    });
    let Some(state) = meta::child(definition, "status") else { return };
    let Some(list) = state.entry("conditions").or_insert_with(|| json!([])).as_array_mut() else { return };
    match list.iter_mut().find(|found| found["type"] == kind) {
        Some(found) if found["status"] == status => {}
        Some(found) => *found = condition,
        None => list.push(condition),
    }
}

/// Brings a definition's status up to date, or ends its deletion.
///
/// # Errors
/// If the result cannot be written to disk.
pub(crate) fn establish(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(live) = cluster.store.get(key).cloned() else { return Ok(()) };
    if meta::is_terminating(&live) {
        return clean_up(cluster, key, &live);
    }
    let mut definition = Value::clone(&live);
    let time = meta::now();
    match rival(cluster, &live) {
        Some(message) => {
            let refusal = ("NamesAccepted", "False", "KindConflict", message.as_str());
            push_condition(&mut definition, refusal, &time);
            let waiting = ("Established", "False", "NotAccepted", "not all names are accepted");
            push_condition(&mut definition, waiting, &time);
        }
        None => {
            let accepted = ("NamesAccepted", "True", "NoConflicts", "no conflicts found");
            push_condition(&mut definition, accepted, &time);
            let established =
                ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted");
            push_condition(&mut definition, established, &time);
            definition["status"]["acceptedNames"] = live["spec"]["names"].clone();
        }
    }
    record_stored_version(&mut definition);
    if definition != *live {
        cluster.commit(key, definition)?;
    }
    Ok(())
}

fn record_stored_version(definition: &mut Value) {
    let stored =
        meta::items(&definition["spec"]["versions"]).iter().find(|version| version["storage"] == true);
    let Some(stored) = stored.map(|version| version["name"].clone()) else { return };
    let Some(status) = meta::child(definition, "status") else { return };
    let list = status.entry("storedVersions").or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    if let Some(list) = list.as_array_mut().filter(|list| !list.contains(&stored)) {
        list.push(stored);
    }
}

// Another established definition of the group that already has the kind.
fn rival(cluster: &Cluster, definition: &Value) -> Option<String> {
    let kind = &definition["spec"]["names"]["kind"];
    let mut others =
        cluster.store.list(&resource(), "").filter(|other| meta::name(other) != meta::name(definition));
    let same = |other: &&std::sync::Arc<Value>| {
        other["spec"]["group"] == definition["spec"]["group"]
            && other["status"]["acceptedNames"]["kind"] == *kind
    };
    others.find(same).map(|_| format!("{kind} is already in use"))
}

fn clean_up(cluster: &mut Cluster, key: &Key, definition: &Value) -> ApiResult<()> {
    if !meta::finalizers(definition).contains(&CLEANUP_FINALIZER) {
        return Ok(());
    }
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let target = crate::error::GroupResource::new(&text(&spec["group"]), &text(&spec["names"]["plural"]));
    if let Some(resource) = cluster.catalog.preferred(&target).cloned() {
        let objects: Vec<_> =
            cluster.store.list(&target, "").filter(|object| !meta::is_terminating(object)).cloned().collect();
        let options = DeleteOptions {
            propagation: Propagation::Background,
            uid: None,
            version: None,
            dry_run: DryRun::No,
        };
        for object in objects {
            let at = Key::new(&target, meta::namespace(&object), meta::name(&object));
            rest::delete(cluster, &resource, &at, &options)?;
        }
    }
    if cluster.store.list(&target, "").next().is_some() {
        return Ok(());
    }
    let rest: Vec<_> =
        meta::finalizers(definition).into_iter().filter(|name| *name != CLEANUP_FINALIZER).collect();
    if rest.is_empty() {
        return cluster.erase(key);
    }
    let mut definition = definition.clone();
    meta::set(&mut definition, "finalizers", json!(rest));
    cluster.commit(key, definition).map(drop)
}
