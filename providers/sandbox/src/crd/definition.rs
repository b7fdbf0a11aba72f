//! `CustomResourceDefinitions` as objects: their defaults, their status and their deletion.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/>

use serde_json::{Map, Value, json};

use super::{is_established, keywords, names, resource};
use crate::cluster::Cluster;
use crate::controllers;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::rest::{self, DeleteOptions, Propagation};
use crate::store::Key;

/// The finalizer that waits for the objects of a definition being deleted.
const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Who writes the status of definitions.
const MANAGER: &str = "kube-apiserver";

/// Fills in what a definition leaves out.
pub(crate) fn default_definition(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    spec.entry("conversion").or_insert_with(|| json!({ "strategy": "None" }));
    if let Some(service) =
        spec["conversion"].pointer_mut("/webhook/clientConfig/service").and_then(Value::as_object_mut)
    {
        service.entry("port").or_insert(json!(443));
    }
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

/// What the status of a new definition says.
pub(crate) fn first_status() -> Value {
    json!({ "acceptedNames": { "kind": "", "plural": "" }, "conditions": null, "storedVersions": null })
}

/// Notes in the status the version that objects are stored in.
pub(crate) fn record_stored_version(definition: &mut Value) {
    let stored =
        meta::items(&definition["spec"]["versions"]).iter().find(|version| version["storage"] == true);
    let Some(stored) = stored.map(|version| version["name"].clone()) else { return };
    let Some(status) = meta::child(definition, "status") else { return };
    let list = status.entry("storedVersions").or_insert(Value::Null);
    if list.is_null() {
        *list = json!([]);
    }
    if let Some(list) = list.as_array_mut().filter(|list| !list.contains(&stored)) {
        list.push(stored);
    }
}

/// What a valid definition should still be told.
pub(crate) fn warnings(definition: &Value) -> Vec<String> {
    let versions = meta::items(&definition["spec"]["versions"]).iter();
    let mut schemas: Vec<_> = versions.map(|version| &version["schema"]["openAPIV3Schema"]).collect();
    schemas.dedup();
    let formats = schemas.into_iter().flat_map(keywords::unknown_formats);
    formats.map(|format| format!("unrecognized format {format:?}")).collect()
}

/// A definition as it is once its deletion was asked.
pub(crate) fn marked_for_deletion(live: &Value) -> Value {
    let mut definition = live.clone();
    meta::set(&mut definition, "deletionTimestamp", json!(meta::now()));
    let mut finalizers = meta::finalizers(live);
    if !finalizers.contains(&CLEANUP_FINALIZER) {
        finalizers.push(CLEANUP_FINALIZER);
    }
    let finalizers = json!(finalizers);
    meta::set(&mut definition, "finalizers", finalizers);
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(&mut definition, ("Terminating", "True", "InstanceDeletionPending", message));
    definition
}

fn set_condition(definition: &mut Value, (kind, status, reason, message): (&str, &str, &str, &str)) {
    let mut condition = json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": meta::now(),
    });
    let Some(state) = meta::child(definition, "status") else { return };
    let conditions = state.entry("conditions").or_insert(Value::Null);
    if conditions.is_null() {
        *conditions = json!([]);
    }
    let Some(list) = conditions.as_array_mut() else { return };
    match list.iter_mut().find(|found| found["type"] == kind) {
        Some(found) => {
            if found["status"] == status {
                condition["lastTransitionTime"] = found["lastTransitionTime"].clone();
            }
            *found = condition;
        }
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
    let (accepted, conflict) = names::accept(cluster, &live);
    let mut definition = Value::clone(&live);
    definition["status"]["acceptedNames"] = accepted;
    match &conflict {
        Some((reason, message)) => {
            set_condition(&mut definition, ("NamesAccepted", "False", reason, message));
        }
        None => {
            set_condition(&mut definition, ("NamesAccepted", "True", "NoConflicts", "no conflicts found"));
        }
    }
    if !is_established(&live) {
        let state = match conflict {
            Some(_) => ("Established", "False", "NotAccepted", "not all names are accepted"),
            None => ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
        };
        set_condition(&mut definition, state);
    }
    set_status(cluster, key, &definition)
}

fn set_status(cluster: &mut Cluster, key: &Key, definition: &Value) -> ApiResult<()> {
    controllers::set_status_as(cluster, key, MANAGER, &definition["status"])
}

fn clean_up(cluster: &mut Cluster, key: &Key, live: &Value) -> ApiResult<()> {
    if !meta::finalizers(live).contains(&CLEANUP_FINALIZER) {
        return Ok(());
    }
    let spec = &live["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let target = GroupResource::new(&text(&spec["group"]), &text(&spec["names"]["plural"]));
    if is_established(live) {
        let mut definition = live.clone();
        let message = "CustomResource deletion is in progress";
        set_condition(&mut definition, ("Terminating", "True", "InstanceDeletionInProgress", message));
        set_status(cluster, key, &definition)?;
        delete_objects(cluster, &target)?;
        if cluster.store.list(&target, "").next().is_some() {
            return Ok(());
        }
    }
    let Some(live) = cluster.store.get(key).cloned() else { return Ok(()) };
    let rest: Vec<_> =
        meta::finalizers(&live).into_iter().filter(|name| *name != CLEANUP_FINALIZER).collect();
    if rest.is_empty() {
        cluster.erase(key)?;
        look_at_others(cluster, &text(&spec["group"]));
        return Ok(());
    }
    let mut definition = Value::clone(&live);
    meta::set(&mut definition, "finalizers", json!(rest));
    cluster.commit(key, definition).map(drop)
}

fn delete_objects(cluster: &mut Cluster, target: &GroupResource) -> ApiResult<()> {
    let Some(resource) = cluster.catalog.preferred(target).cloned() else { return Ok(()) };
    let objects: Vec<_> =
        cluster.store.list(target, "").filter(|object| !meta::is_terminating(object)).cloned().collect();
    let options = DeleteOptions::plain(Propagation::Background);
    for object in objects {
        let at = Key::new(target, meta::namespace(&object), meta::name(&object));
        rest::delete(cluster, &resource, &at, &options)?;
    }
    Ok(())
}

// Names that have become free may be another's now.
fn look_at_others(cluster: &mut Cluster, group: &str) {
    let others = cluster.store.list(&resource(), "").filter(|other| other["spec"]["group"] == group);
    let keys: Vec<_> = others.map(|other| Key::new(&resource(), "", meta::name(other))).collect();
    for key in keys {
        cluster.queue.look_at(key);
    }
}
