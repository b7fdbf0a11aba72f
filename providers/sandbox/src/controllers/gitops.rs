//! Argo CD and Flux as they report an object they have accepted, synced and found healthy. Nothing is fetched.
//!
//! # Source
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml> and
//! <https://fluxcd.io/flux/components/kustomize/kustomizations/#kustomization-status>

use serde_json::{Value, json};

use super::act;
use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::meta;
use crate::store::Key;

/// Reports on an object of Argo CD or Flux; others are left alone.
///
/// # Errors
/// If the status cannot be written.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    if key.resource.group == "argoproj.io" && key.resource.resource == "applications" {
        return act::update_status_as(cluster, key, "argocd-application-controller", application);
    }
    let Some(toolkit) = key.resource.group.strip_suffix(".toolkit.fluxcd.io") else { return Ok(()) };
    let manager = format!("{toolkit}-controller");
    let is_suspended = cluster.store.get(key).is_none_or(|object| object["spec"]["suspend"] == true);
    if is_suspended {
        return Ok(());
    }
    act::update_status_as(cluster, key, &manager, flux)
}

fn application(object: &mut Value) {
    let is_automated = object["spec"]["syncPolicy"]["automated"].is_object();
    let revision = object["spec"]["source"]["targetRevision"].clone();
    let (sync, health) = if is_automated { ("Synced", "Healthy") } else { ("OutOfSync", "Missing") };
    let compared =
        json!({ "destination": object["spec"]["destination"], "source": object["spec"]["source"] });
    let mut status = object["status"].as_object().cloned().unwrap_or_default();
    let unchanged =
        status.get("sync").is_some_and(|old| old["status"] == sync && old["comparedTo"] == compared);
    if unchanged {
        return;
    }
    status.insert("sync".into(), json!({ "status": sync, "revision": revision, "comparedTo": compared }));
    status.insert("health".into(), json!({ "status": health }));
    status.insert("reconciledAt".into(), json!(meta::now()));
    if is_automated {
        let now = meta::now();
        let result = json!({ "revision": revision, "source": object["spec"]["source"] });
        let operation = json!({ "sync": { "revision": revision } });
        status.insert(
            "operationState".into(),
            json!({
                "operation": operation, "phase": "Succeeded", "message": "successfully synced (all tasks run)",
                "startedAt": now, "finishedAt": now, "syncResult": result,
            }),
        );
    }
    meta::put(object, "status", Some(Value::Object(status)));
}

fn flux(object: &mut Value) {
    let generation = meta::generation(object);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let revision = revision_of(object);
    let (reason, message) = match kind.as_str() {
        "Kustomization" => ("ReconciliationSucceeded", format!("Applied revision: {revision}")),
        "HelmRelease" => {
            ("InstallSucceeded", format!("Helm install succeeded for release {}", meta::name(object)))
        }
        _ => ("Succeeded", format!("stored artifact for revision '{revision}'")),
    };
    if !object["status"].is_object() {
        meta::put(object, "status", Some(json!({})));
    }
    object["status"]["observedGeneration"] = json!(generation);
    match kind.as_str() {
        "Kustomization" => {
            object["status"]["lastAppliedRevision"] = json!(revision);
            object["status"]["lastAttemptedRevision"] = json!(revision);
        }
        "GitRepository" | "OCIRepository" | "Bucket" => {
            let is_known = object["status"]["artifact"]["revision"] == revision.as_str();
            if !is_known {
                object["status"]["artifact"] = json!({
                    "revision": revision, "digest": format!("sha256:{:064x}", meta::hash(&json!(revision))),
                    "lastUpdateTime": meta::now(), "size": 0, "path": "", "url": "",
                });
            }
        }
        _ => {}
    }
    let ready = json!({
        "type": "Ready", "status": "True", "reason": reason, "message": message, "observedGeneration": generation,
    });
    act::set_conditions(object, &[ready]);
}

// A revision as Flux writes it, of a commit that follows from the object alone.
fn revision_of(object: &Value) -> String {
    let spec = &object["spec"];
    let reference = ["tag", "branch", "semver"].into_iter().find_map(|field| spec["ref"][field].as_str());
    let hash = meta::hash(&json!([spec["url"], spec["ref"], spec["sourceRef"]["name"]]));
    format!("{}@sha1:{hash:040x}", reference.unwrap_or("master"))
}
