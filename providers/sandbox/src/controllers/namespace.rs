//! What every namespace gets, and how one ends.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/> and
//! <https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::act;
use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::meta;
use crate::store::Key;

/// What holds a namespace until its content is gone.
const FINALIZER: &str = "kubernetes";

/// Fills a new namespace, or empties one that is terminating.
///
/// # Errors
/// If a change cannot be written to disk.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(live) = cluster.store.get(key).cloned() else { return Ok(()) };
    if meta::is_terminating(&live) {
        return terminate(cluster, key, &live);
    }
    let name = key.name.as_str();
    if cluster.store.find("", "serviceaccounts", name, "default").is_none() {
        let account =
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
        act::create(cluster, name, account)?;
    }
    if cluster.store.find("", "configmaps", name, "kube-root-ca.crt").is_none() {
        act::create(cluster, name, root_certificate())?;
    }
    Ok(())
}

fn root_certificate() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "kube-root-ca.crt",
            "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when \
                 using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is \
                 guaranteed across distributions of Kubernetes clusters.",
            },
        },
        "data": { "ca.crt": "" },
    })
}

fn terminate(cluster: &mut Cluster, key: &Key, live: &Value) -> ApiResult<()> {
    for member in cluster.store.keys_in(&key.name) {
        let is_marked = cluster.store.get(&member).is_none_or(|object| meta::is_terminating(object));
        if !is_marked {
            act::delete(cluster, &member)?;
        }
    }
    if meta::items(&live["spec"]["finalizers"]).is_empty() {
        return Ok(());
    }
    let remaining = cluster.store.keys_in(&key.name);
    let conditions = conditions(cluster, &remaining);
    act::update_status(cluster, key, |object| act::set_conditions(object, &conditions))?;
    if !remaining.is_empty() {
        return Ok(());
    }
    act::finalize(cluster, key, |object| {
        let finalizers = meta::strings(&object["spec"]["finalizers"]).into_iter();
        let rest: Vec<_> = finalizers.filter(|name| *name != FINALIZER).collect();
        object["spec"] = if rest.is_empty() { json!({}) } else { json!({ "finalizers": rest }) };
    })
}

// Kubernetes lists what is left by resource and by finalizer.
fn conditions(cluster: &Cluster, remaining: &[Key]) -> Vec<Value> {
    let mut by_resource: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_finalizer: BTreeMap<String, usize> = BTreeMap::new();
    for key in remaining {
        *by_resource.entry(key.resource.qualified()).or_default() += 1;
        let object = cluster.store.get(key);
        for finalizer in object.map(|object| meta::finalizers(object)).unwrap_or_default() {
            *by_finalizer.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    let resources: Vec<_> = by_resource
        .iter()
        .map(|(resource, count)| {
            let noun = if resource.contains('.') { resource.clone() } else { format!("{resource}.") };
            format!("{noun} has {count} resource instances")
        })
        .collect();
    let finalizers: Vec<_> =
        by_finalizer.iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({ "type": kind, "status": status, "reason": reason, "message": message });
    let content = match resources.as_slice() {
        [] => ("False", "ContentRemoved", "All content successfully removed".to_owned()),
        some => ("True", "SomeResourcesRemain", format!("Some resources are remaining: {}", some.join(", "))),
    };
    let waiting = match finalizers.as_slice() {
        [] => ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished".to_owned()),
        some => (
            "True",
            "SomeFinalizersRemain",
            format!("Some content in the namespace has finalizers remaining: {}", some.join(", ")),
        ),
    };
    vec![
        condition(
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        condition(
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        condition("NamespaceContentRemaining", content.0, content.1, &content.2),
        condition("NamespaceFinalizersRemaining", waiting.0, waiting.1, &waiting.2),
    ]
}
