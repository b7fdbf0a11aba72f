//! `DaemonSets`: a pod on each node that fits.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/>

use serde_json::{Value, json};

use super::{act, pods};
use crate::cluster::Cluster;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::selector::Selector;
use crate::store::Key;

const HASH: &str = "controller-revision-hash";

/// Puts a pod of the present template on each node whose labels fit, and counts them.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let template = &set["spec"]["template"];
    let hash = meta::suffix_of(&meta::hash(template).to_be_bytes(), 10);
    let selector = Selector::of_object(&json!({ "matchLabels": template["spec"]["nodeSelector"] }));
    let nodes: Vec<String> = cluster
        .store
        .list(&GroupResource::new("", "nodes"), "")
        .filter(|node| selector.matches(node))
        .map(|node| meta::name(node).to_owned())
        .collect();
    let replaces = set["spec"]["updateStrategy"]["type"] != "OnDelete";
    let owned = pods::owned(cluster, &set);
    for (pod, object) in &owned {
        let is_old = replaces && meta::label(object, HASH) != Some(&hash);
        let is_misplaced = !nodes.iter().any(|node| object["spec"]["nodeName"] == node.as_str());
        if is_old || is_misplaced {
            act::delete(cluster, pod)?;
        }
    }
    for node in &nodes {
        let is_there =
            pods::owned(cluster, &set).iter().any(|(_, pod)| pod["spec"]["nodeName"] == node.as_str());
        if !is_there {
            let mut pod = pods::from_template(&set, template, &format!("{}-", key.name));
            pod["metadata"]["labels"][HASH] = json!(hash);
            pod["metadata"]["labels"]["pod-template-generation"] = json!(meta::generation(&set).to_string());
            pod["spec"]["nodeName"] = json!(node);
            act::create(cluster, &key.namespace, pod)?;
        }
    }
    let owned = pods::owned(cluster, &set);
    act::update_status(cluster, key, |set| write_status(set, &owned, nodes.len(), &hash))
}

fn write_status(set: &mut Value, owned: &[(Key, Value)], desired: usize, hash: &str) {
    let ready = owned.iter().filter(|(_, pod)| pods::is_ready(pod)).count();
    let updated = owned.iter().filter(|(_, pod)| meta::label(pod, HASH) == Some(hash)).count();
    set["status"] = json!({
        "observedGeneration": meta::generation(set), "currentNumberScheduled": owned.len(),
        "desiredNumberScheduled": desired, "numberMisscheduled": 0, "numberReady": ready, "numberAvailable": ready,
        "numberUnavailable": desired.saturating_sub(ready), "updatedNumberScheduled": updated,
    });
}
