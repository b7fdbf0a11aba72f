//! What pods refer to: keys of `ConfigMaps` and Secrets, claims, accounts.

use std::collections::HashMap;

use super::namespace::{Declared, Namespace};
use super::workload::Workload;
use super::{MISSING_KEY, MISSING_OBJECT, about, list};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::value::{Map, Value};

/// An object of the same namespace that a pod cannot do without.
struct Reference<'a> {
    kind: &'static str,
    name: &'a str,
    /// The key that it takes, `None` for the whole object.
    key: Option<&'a str>,
}

/// Finds references that lead nowhere.
///
/// # Source
/// Kubernetes, `ConfigMaps`; Secrets, "optional Secrets"; Persistent Volumes; Service Accounts.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    if namespace.workloads.is_empty() {
        return;
    }
    let declared: HashMap<(&str, &str), &Declared<'_>> = namespace
        .objects
        .iter()
        .filter(|object| object.object_ref().kind.group.is_empty())
        .map(|object| ((object.object_ref().kind.kind.as_str(), object.object_ref().name.as_str()), object))
        .collect();
    for workload in &namespace.workloads {
        for reference in references(workload) {
            let object = declared.get(&(reference.kind, reference.name));
            match (object, reference.key) {
                (Some(object), Some(key)) if lacks(object, key) => {
                    found.push(missing_key(workload, object, key));
                }
                (None, _) if is_nowhere(namespace, &reference) => {
                    found.push(missing_object(workload, &reference));
                }
                _ => {}
            }
        }
    }
}

/// Tells whether a declared object certainly lacks a key. One without any data is filled by others.
fn lacks(object: &Declared<'_>, key: &str) -> bool {
    let Some(manifest) = object.resource.manifest() else { return false };
    let parts = ["data", "binaryData", "stringData"].map(|part| manifest.body().get(part));
    let is_filled_by_others = !object.resource.lifecycle.ignore_changes.is_empty()
        || object.body.str_at(&["type"]) == Some("kubernetes.io/service-account-token");
    let maps: Vec<_> = parts.into_iter().flatten().collect();
    let is_known = maps.iter().all(|map| map.as_map().is_some());
    let mut keys = maps.iter().filter_map(|map| map.as_map()).flat_map(Map::keys).peekable();
    is_known && !is_filled_by_others && keys.peek().is_some() && keys.all(|it| it != key)
}

/// Tells whether an object that is not declared certainly does not exist: nothing can be in a namespace yet that the
/// plan creates, but for what every namespace has, and what declared objects may make.
fn is_nowhere(namespace: &Namespace<'_>, reference: &Reference<'_>) -> bool {
    if !namespace.is_created || namespace.is_filled_by_others {
        return false;
    }
    match (reference.kind, reference.name) {
        ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt") => false,
        ("ServiceAccount", _) => true,
        ("PersistentVolumeClaim", name) => {
            let sets = namespace.of_kind("apps", "StatefulSet");
            !sets.flat_map(|set| list(set.body, &["spec", "volumeClaimTemplates"])).any(|template| {
                template.str_at(&["metadata", "name"]).is_none_or(|prefix| name.starts_with(prefix))
            })
        }
        // Jobs are what charts make certificates and passwords with.
        _ => namespace.of_kind("batch", "Job").chain(namespace.of_kind("batch", "CronJob")).next().is_none(),
    }
}

/// Returns all that the pods of a workload do not start without.
fn references<'a>(workload: &Workload<'a>) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    let mut add = |kind, name: Option<&'a str>, key| {
        found.extend(name.map(|name| Reference { kind, name, key }));
    };
    add("ServiceAccount", workload.spec.str_at(&["serviceAccountName"]), None);
    for container in workload.containers() {
        for env in list(container, &["env"]) {
            for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                if let Some(source) = env.at(&["valueFrom", field]).filter(|it| is_needed(it)) {
                    add(kind, source.str_at(&["name"]), source.str_at(&["key"]));
                }
            }
        }
        for source in list(container, &["envFrom"]) {
            for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                if let Some(source) = source.get(field).filter(|it| is_needed(it)) {
                    add(kind, source.str_at(&["name"]), None);
                }
            }
        }
    }
    for volume in list(workload.spec, &["volumes"]) {
        let claim = volume.str_at(&["persistentVolumeClaim", "claimName"]);
        add("PersistentVolumeClaim", claim, None);
        for source in [volume].into_iter().chain(list(volume, &["projected", "sources"])) {
            for (field, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
                let Some(source) = source.get(field).filter(|it| is_needed(it)) else { continue };
                let name = source.str_at(&["name"]).or_else(|| source.str_at(&["secretName"]));
                add(kind, name, None);
                list(source, &["items"]).iter().for_each(|item| add(kind, name, item.str_at(&["key"])));
            }
        }
    }
    found
}

fn is_needed(source: &Value) -> bool {
    matches!(source.get("optional"), None | Some(Value::Bool(false)))
}

fn missing_key(workload: &Workload<'_>, object: &Declared<'_>, key: &str) -> Diagnostic {
    let (of, object_ref) = (workload.object.object_ref(), object.object_ref());
    let diagnostic = Diagnostic::warning(
        MISSING_KEY,
        format!("{of} takes the key {key:?} of {object_ref}, which has none"),
    )
    .detail("Its pods do not start before the key is there.")
    .hint("add the key, correct its name, or set `optional` where it is taken");
    about(workload.object.resource, diagnostic)
}

fn missing_object(workload: &Workload<'_>, reference: &Reference<'_>) -> Diagnostic {
    let (of, Reference { kind, name, .. }) = (workload.object.object_ref(), reference);
    let namespace = of.namespace.as_deref().unwrap_or_default();
    let summary = format!("{of} needs {kind}/{namespace}/{name}, which nothing declares");
    let diagnostic = Diagnostic::warning(MISSING_OBJECT, summary)
        .detail(format!(
            "This plan creates the namespace {namespace}, so that nobody else can have made it. The pods do not \
             start before it is there."
        ))
        .hint("declare it, or correct the name");
    about(workload.object.resource, diagnostic)
}

#[cfg(test)]
mod tests;
