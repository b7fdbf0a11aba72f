//! `StatefulSets`: numbered pods, made and replaced in order, each with its claims.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/>

use serde_json::{Value, json};

use super::{act, pods};
use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::store::Key;

const HASH: &str = "controller-revision-hash";

/// Takes the steps that are possible now and writes the status. Changes of its pods bring the set here again.
///
/// # Errors
/// If a change cannot be written. A refused pod stops the rest.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let hash = meta::suffix_of(&meta::hash(&set["spec"]["template"]).to_be_bytes(), 10);
    let revision = format!("{}-{hash}", key.name);
    match step(cluster, key, &set, &revision) {
        Ok(()) | Err(ApiError::Forbidden { .. } | ApiError::Invalid { .. }) => {}
        Err(error) => return Err(error),
    }
    let owned = pods::owned(cluster, &set);
    act::update_status(cluster, key, |set| write_status(set, &owned, &revision))
}

fn ordinal(pod: &Value) -> i64 {
    meta::name(pod).rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(i64::MAX)
}

fn step(cluster: &mut Cluster, key: &Key, set: &Value, revision: &str) -> ApiResult<()> {
    let spec = &set["spec"];
    let start = spec["ordinals"]["start"].as_i64().unwrap_or(0);
    let end = start.saturating_add(pods::bounded(spec["replicas"].as_i64().unwrap_or(1)));
    let is_parallel = spec["podManagementPolicy"] == "Parallel";
    let mut owned = pods::owned(cluster, set);
    owned.sort_by_key(|(_, pod)| ordinal(pod));
    for (pod, object) in owned.iter().rev() {
        if !(start..end).contains(&ordinal(object)) {
            act::delete(cluster, pod)?;
        }
    }
    for index in start..end {
        let found = owned.iter().find(|(_, pod)| ordinal(pod) == index);
        match found {
            None => {
                make(cluster, key, set, revision, index)?;
                // The pod's own change brings the set here again.
                if !is_parallel {
                    return Ok(());
                }
            }
            Some((_, pod)) if !pods::is_ready(pod) && !is_parallel => {
                let is_old = meta::label(pod, HASH) != Some(revision);
                return if is_old { replace_one(cluster, set, &owned, revision) } else { Ok(()) };
            }
            Some(_) => {}
        }
    }
    replace_one(cluster, set, &owned, revision)
}

// The highest pod of an old revision goes; it comes back in the new one.
fn replace_one(cluster: &mut Cluster, set: &Value, owned: &[(Key, Value)], revision: &str) -> ApiResult<()> {
    let strategy = &set["spec"]["updateStrategy"];
    if strategy["type"] == "OnDelete" {
        return Ok(());
    }
    let partition = strategy["rollingUpdate"]["partition"].as_i64().unwrap_or(0);
    let is_old = |pod: &Value| meta::label(pod, HASH) != Some(revision) && ordinal(pod) >= partition;
    match owned.iter().rev().find(|(_, pod)| is_old(pod)) {
        Some((pod, _)) => act::delete(cluster, pod),
        None => Ok(()),
    }
}

fn make(cluster: &mut Cluster, key: &Key, set: &Value, revision: &str, index: i64) -> ApiResult<()> {
    let spec = &set["spec"];
    let name = format!("{}-{index}", key.name);
    let mut pod = pods::from_template(set, &spec["template"], &name);
    let labels = meta::child(&mut pod, "metadata")
        .map(|metadata| metadata.entry("labels").or_insert_with(|| json!({})));
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        labels.insert(HASH.into(), json!(revision));
        labels.insert("statefulset.kubernetes.io/pod-name".into(), json!(name));
        labels.insert("apps.kubernetes.io/pod-index".into(), json!(index.to_string()));
    }
    meta::set(&mut pod, "generateName", json!(format!("{}-", key.name)));
    pod["spec"]["hostname"] = json!(name);
    if let Some(service) = spec.get("serviceName").filter(|service| *service != "") {
        pod["spec"]["subdomain"] = service.clone();
    }
    let mut volumes = meta::items(&pod["spec"]["volumes"]).to_vec();
    for template in meta::items(&spec["volumeClaimTemplates"]) {
        let claim = format!("{}-{name}", meta::name(template));
        volumes.retain(|volume| volume["name"] != meta::name(template));
        volumes
            .push(json!({ "name": meta::name(template), "persistentVolumeClaim": { "claimName": claim } }));
        make_claim(cluster, key, set, template, &claim)?;
    }
    if !volumes.is_empty() {
        pod["spec"]["volumes"] = json!(volumes);
    }
    act::create(cluster, &key.namespace, pod)
}

fn make_claim(cluster: &mut Cluster, key: &Key, set: &Value, template: &Value, name: &str) -> ApiResult<()> {
    let at = Key::new(&GroupResource::new("", "persistentvolumeclaims"), &key.namespace, name);
    if cluster.store.get(&at).is_some() {
        return Ok(());
    }
    let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.extend(set["spec"]["selector"]["matchLabels"].as_object().cloned().unwrap_or_default());
    let mut metadata = json!({ "name": name, "labels": labels });
    if let Some(annotations) = template["metadata"].get("annotations") {
        metadata["annotations"] = annotations.clone();
    }
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"],
    });
    act::create(cluster, &key.namespace, claim)
}

fn write_status(set: &mut Value, owned: &[(Key, Value)], revision: &str) {
    let ready = owned.iter().filter(|(_, pod)| pods::is_ready(pod)).count();
    let updated = owned.iter().filter(|(_, pod)| meta::label(pod, HASH) == Some(revision)).count();
    let wanted = set["spec"]["replicas"].as_u64().unwrap_or(1);
    let is_rolled_out = updated == owned.len() && ready == owned.len() && owned.len() as u64 == wanted;
    let known =
        set["status"]["currentRevision"].as_str().filter(|known| !known.is_empty()).map(str::to_owned);
    let current =
        if is_rolled_out { revision.to_owned() } else { known.unwrap_or_else(|| revision.to_owned()) };
    let of_current = owned.iter().filter(|(_, pod)| meta::label(pod, HASH) == Some(&current)).count();
    set["status"] = json!({
        "observedGeneration": meta::generation(set), "replicas": owned.len(), "readyReplicas": ready,
        "availableReplicas": ready, "currentReplicas": of_current, "updatedReplicas": updated,
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
}
