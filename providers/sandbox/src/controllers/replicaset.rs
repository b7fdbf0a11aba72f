//! `ReplicaSets`: as many pods as asked for.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/>

use serde_json::{Value, json};

use super::{act, pods};
use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::meta;
use crate::store::Key;

/// Makes or removes pods until there are as many as asked for, and counts them.
///
/// # Errors
/// If a change cannot be written. A refused pod is told in the status.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let wanted = pods::bounded(set["spec"]["replicas"].as_i64().unwrap_or(1));
    let mut owned = pods::owned(cluster, &set);
    // What is not ready goes first.
    owned.sort_by_key(|(_, pod)| !pods::is_ready(pod));
    let found = i64::try_from(owned.len()).unwrap_or(i64::MAX);
    let is_beyond = set["spec"]["replicas"].as_i64().is_some_and(|replicas| replicas > wanted);
    let mut refusal =
        is_beyond.then(|| format!("the sandbox runs at most {} pods of a workload", pods::PODS_PER_WORKLOAD));
    for _ in found..wanted {
        let pod = pods::from_template(&set, &set["spec"]["template"], &format!("{}-", key.name));
        if let Err(error) = act::create(cluster, &key.namespace, pod) {
            refusal = Some(error.to_string());
            break;
        }
    }
    let surplus = usize::try_from(found - wanted).unwrap_or(0);
    for (pod, _) in owned.iter().rev().take(surplus) {
        act::delete(cluster, pod)?;
    }
    let owned = pods::owned(cluster, &set);
    act::update_status(cluster, key, |set| write_status(set, &owned, refusal.as_deref()))
}

fn write_status(set: &mut Value, owned: &[(Key, Value)], refusal: Option<&str>) {
    let ready = owned.iter().filter(|(_, pod)| pods::is_ready(pod)).count();
    let conditions = set["status"]["conditions"].clone();
    let mut status = json!({
        "replicas": owned.len(), "fullyLabeledReplicas": owned.len(), "readyReplicas": ready,
        "availableReplicas": ready, "observedGeneration": meta::generation(set), "terminatingReplicas": 0,
    });
    if refusal.is_some() {
        status["conditions"] = conditions.clone();
    }
    set["status"] = status;
    // Each try draws another name for the pod: a refusal for the same reason is no news.
    let reason = |message: &str| message.split_once(" is forbidden: ").map(|(_, why)| why.to_owned());
    let known = meta::items(&conditions).iter().filter_map(|condition| condition["message"].as_str());
    let is_known = refusal.is_some_and(|refusal| known.map(reason).any(|known| known == reason(refusal)));
    if let Some(message) = refusal.filter(|_| !is_known) {
        let condition = json!({ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message });
        act::set_conditions(set, &[condition]);
    }
}
