//! Deployments: a `ReplicaSet` for each template, rolled from the old to the new.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/>

use engine_kinds::{IntOrString, Rounding};
use serde_json::{Value, json};

use super::act;
use super::pods::{self, Behavior};
use crate::cluster::Cluster;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::store::Key;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const HASH: &str = "pod-template-hash";

fn sets() -> GroupResource {
    GroupResource::new("apps", "replicasets")
}

/// Takes one step of a rollout and writes the status. Changes of its `ReplicaSets` bring the Deployment here again.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(deployment) = cluster.store.get(key).cloned() else { return Ok(()) };
    let owned = owned_sets(cluster, &deployment);
    let hash = meta::suffix_of(&meta::hash(&deployment["spec"]["template"]).to_be_bytes(), 8);
    let newest = owned.iter().map(revision).max().unwrap_or(0);
    let current = owned.iter().find(|set| meta::label(set, HASH) == Some(&hash));
    let revision = match current {
        Some(set) if revision(set) == newest => newest,
        _ => newest + 1,
    };
    let is_paused = deployment["spec"]["paused"] == true;
    match current {
        // A paused Deployment makes no set and counts no revision.
        None if is_paused => {
            return act::update_status(cluster, key, |live| write_status(live, &owned, &hash, newest));
        }
        None => act::create(cluster, &key.namespace, new_set(&deployment, &owned, (&hash, revision)))?,
        Some(set) => {
            let at = Key::new(&sets(), &key.namespace, meta::name(set));
            act::edit(cluster, &at, |set| annotate(set, &deployment, revision))?;
        }
    }
    if !is_paused {
        roll(cluster, &deployment, &hash)?;
    }
    trim_history(cluster, &deployment, &hash)?;
    let owned = owned_sets(cluster, &deployment);
    act::update_status(cluster, key, |live| write_status(live, &owned, &hash, revision))
}

fn owned_sets(cluster: &Cluster, deployment: &Value) -> Vec<Value> {
    let keys =
        cluster.store.dependents(meta::uid(deployment)).into_iter().filter(|key| key.resource == sets());
    keys.filter_map(|key| cluster.store.get(&key).map(|set| Value::clone(set))).collect()
}

fn revision(set: &Value) -> u64 {
    meta::annotation(set, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn new_set(deployment: &Value, old: &[Value], (hash, revision): (&str, u64)) -> Value {
    let spec = &deployment["spec"];
    let mut template = spec["template"].clone();
    template["metadata"]["labels"][HASH] = json!(hash);
    let mut selector = spec["selector"].clone();
    selector["matchLabels"][HASH] = json!(hash);
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", meta::name(deployment)), "labels": template["metadata"]["labels"],
            "ownerReferences": [meta::owner_reference(deployment)],
        },
        "spec": { "replicas": room_beside(deployment, old), "selector": selector, "template": template },
    });
    if let Some(seconds) = spec.get("minReadySeconds") {
        set["spec"]["minReadySeconds"] = seconds.clone();
    }
    annotate(&mut set, deployment, revision);
    set
}

fn annotate(set: &mut Value, deployment: &Value, revision: u64) {
    let mut annotations = set["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    let copied = deployment["metadata"]["annotations"].as_object().into_iter().flatten();
    let is_own = |key: &str| {
        key == "kubectl.kubernetes.io/last-applied-configuration"
            || key.starts_with("deployment.kubernetes.io/")
    };
    annotations
        .extend(copied.filter(|(key, _)| !is_own(key)).map(|(key, value)| (key.clone(), value.clone())));
    let replicas = replicas_of(deployment);
    let (surge, _) = bounds(deployment, replicas);
    annotations.insert("deployment.kubernetes.io/desired-replicas".into(), json!(replicas.to_string()));
    annotations.insert("deployment.kubernetes.io/max-replicas".into(), json!((replicas + surge).to_string()));
    // A set that is used again remembers the revisions it was.
    let former =
        meta::annotation(set, REVISION).map(str::to_owned).filter(|known| *known != revision.to_string());
    if let Some(former) = former {
        let known = meta::annotation(set, HISTORY).map(|known| format!("{known},{former}"));
        annotations.insert(HISTORY.into(), json!(known.unwrap_or(former)));
    }
    annotations.insert(REVISION.into(), json!(revision.to_string()));
    meta::set(set, "annotations", Value::Object(annotations));
}

fn replicas_of(deployment: &Value) -> i64 {
    deployment["spec"]["replicas"].as_i64().unwrap_or(1)
}

// How many pods may be there beyond those asked for, and how many may be missing.
fn bounds(deployment: &Value, replicas: i64) -> (i64, i64) {
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let count = |value: &Value, rounding| {
        let parsed: Option<IntOrString> = serde_json::from_value(value.clone()).ok();
        parsed.and_then(|value| value.of_total(replicas, rounding)).unwrap_or(0)
    };
    let surge = count(&rolling["maxSurge"], Rounding::Up);
    let missing = count(&rolling["maxUnavailable"], Rounding::Down);
    (surge, if surge == 0 && missing == 0 { 1 } else { missing })
}

// How many pods the new set may have beside those of the old ones.
fn room_beside(deployment: &Value, old: &[Value]) -> i64 {
    let wanted = replicas_of(deployment);
    let asked: i64 = old.iter().map(|set| set["spec"]["replicas"].as_i64().unwrap_or(0)).sum();
    if deployment["spec"]["strategy"]["type"] == "Recreate" {
        return if asked > 0 { 0 } else { wanted };
    }
    let (surge, _) = bounds(deployment, wanted);
    (wanted + surge - asked).clamp(0, wanted)
}

fn roll(cluster: &mut Cluster, deployment: &Value, hash: &str) -> ApiResult<()> {
    let owned = owned_sets(cluster, deployment);
    let wanted = replicas_of(deployment);
    let is_new = |set: &&Value| meta::label(set, HASH) == Some(hash);
    let Some(new) = owned.iter().find(is_new) else { return Ok(()) };
    let old: Vec<&Value> = owned.iter().filter(|set| !is_new(set)).collect();
    let asked = |set: &Value| set["spec"]["replicas"].as_i64().unwrap_or(0);
    // A set that was just scaled down still counts the pods that are about to go.
    let ready = |set: &Value| set["status"]["readyReplicas"].as_i64().unwrap_or(0).min(asked(set));
    let old_asked: i64 = old.iter().map(|set| asked(set)).sum();
    let recreates = deployment["spec"]["strategy"]["type"] == "Recreate";
    let (surge, missing) = if recreates { (0, wanted) } else { bounds(deployment, wanted) };
    let room = (wanted + surge - old_asked).clamp(0, wanted);
    let target = if recreates && old_asked > 0 { 0 } else { room.max(asked(new).min(wanted)) };
    scale(cluster, new, target)?;
    // Old pods may go while enough are left: those that are not ready first, since nothing is lost with them.
    let available: i64 = old.iter().map(|set| ready(set)).sum::<i64>() + ready(new);
    let mut spare = (available - (wanted - missing)).max(0);
    for set in old {
        let unready = (asked(set) - ready(set)).max(0);
        let taken = spare.min(asked(set) - unready);
        spare -= taken;
        scale(cluster, set, asked(set) - unready - taken)?;
    }
    Ok(())
}

fn scale(cluster: &mut Cluster, set: &Value, replicas: i64) -> ApiResult<()> {
    let at = Key::new(&sets(), meta::namespace(set), meta::name(set));
    act::edit(cluster, &at, |set| set["spec"]["replicas"] = json!(replicas))
}

fn trim_history(cluster: &mut Cluster, deployment: &Value, hash: &str) -> ApiResult<()> {
    let limit =
        deployment["spec"]["revisionHistoryLimit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let mut old = owned_sets(cluster, deployment);
    old.retain(|set| {
        meta::label(set, HASH) != Some(hash) && set["spec"]["replicas"] == 0 && set["status"]["replicas"] == 0
    });
    old.sort_by_key(|set| std::cmp::Reverse(revision(set)));
    for set in old.iter().skip(limit.unwrap_or(10)) {
        act::delete(cluster, &Key::new(&sets(), meta::namespace(set), meta::name(set)))?;
    }
    Ok(())
}

fn write_status(deployment: &mut Value, owned: &[Value], hash: &str, revision: u64) {
    let wanted = replicas_of(deployment);
    let count = |set: &Value, field: &str| set["status"][field].as_i64().unwrap_or(0);
    let total = |field: &str| owned.iter().map(|set| count(set, field)).sum::<i64>();
    let new = owned.iter().find(|set| meta::label(set, HASH) == Some(hash));
    let (replicas, available) = (total("replicas"), total("availableReplicas"));
    let updated = new.map_or(0, |set| count(set, "replicas"));
    let mut annotations = deployment["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(REVISION.into(), json!(revision.to_string()));
    meta::set(deployment, "annotations", Value::Object(annotations));
    let conditions = deployment["status"]["conditions"].clone();
    deployment["status"] = json!({
        "observedGeneration": meta::generation(deployment), "replicas": replicas, "updatedReplicas": updated,
        "readyReplicas": total("readyReplicas"), "availableReplicas": available,
        "unavailableReplicas": (replicas.max(wanted) - available).max(0),
        "terminatingReplicas": total("terminatingReplicas"),
    });
    // A failure to create pods is no condition once it is over.
    let failure = new.and_then(|set| {
        meta::items(&set["status"]["conditions"])
            .iter()
            .find(|condition| condition["type"] == "ReplicaFailure")
    });
    let kept =
        meta::items(&conditions).iter().filter(|old| old["type"] != "ReplicaFailure" || failure.is_some());
    deployment["status"]["conditions"] = kept.cloned().collect();
    let (_, missing) = bounds(deployment, wanted);
    let is_complete = updated == wanted && available == wanted && replicas == wanted;
    let name = new.map(meta::name).unwrap_or_default().to_owned();
    let mut conditions =
        vec![availability(available >= wanted - missing), progress(deployment, &name, is_complete)];
    conditions.extend(failure.map(|failure| {
        json!({ "type": "ReplicaFailure", "status": "True", "reason": failure["reason"],
            "message": failure["message"], "lastUpdateTime": meta::now() })
    }));
    act::set_conditions(deployment, &conditions);
}

fn availability(holds: bool) -> Value {
    let (status, reason, message) = if holds {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    json!({ "type": "Available", "status": status, "reason": reason, "message": message, "lastUpdateTime": meta::now() })
}

// Without a clock that passes, pods that crash are shown as they will be when the deadline is over.
fn progress(deployment: &Value, set: &str, is_complete: bool) -> Value {
    let crashes = pods::behavior(&deployment["spec"]["template"]) == Behavior::Crash;
    let (status, reason, message) = if deployment["spec"]["paused"] == true {
        ("Unknown", "DeploymentPaused", "Deployment is paused".to_owned())
    } else if is_complete {
        ("True", "NewReplicaSetAvailable", format!("ReplicaSet {set:?} has successfully progressed."))
    } else if crashes {
        ("False", "ProgressDeadlineExceeded", format!("ReplicaSet {set:?} has timed out progressing."))
    } else {
        ("True", "ReplicaSetUpdated", format!("ReplicaSet {set:?} is progressing."))
    };
    json!({ "type": "Progressing", "status": status, "reason": reason, "message": message, "lastUpdateTime": meta::now() })
}
