//! `HorizontalPodAutoscalers` and `PodDisruptionBudgets`.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/> and
//! <https://kubernetes.io/docs/tasks/run-application/configure-pdb/>

use engine_kinds::{IntOrString, Rounding};
use serde_json::{Value, json};

use super::{act, pods};
use crate::cluster::Cluster;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::selector::Selector;
use crate::store::Key;

/// Keeps the target of an autoscaler within its bounds. Load never changes here, so within them nothing moves.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn autoscaler(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(scaler) = cluster.store.get(key).cloned() else { return Ok(()) };
    let spec = &scaler["spec"];
    let target = &spec["scaleTargetRef"];
    let text = |field: &str| target[field].as_str().unwrap_or_default();
    let resource = cluster.catalog.of_kind(text("apiVersion"), text("kind")).cloned();
    let at = resource.as_ref().map(|resource| Cluster::key(resource, &key.namespace, text("name")));
    let found = at.as_ref().and_then(|at| cluster.store.get(at)).cloned();
    let (Some(at), Some(found)) = (at, found) else {
        let message = format!(
            "the HPA controller was unable to get the target's current scale: {}.{} {:?} not found",
            text("kind").to_lowercase() + "s",
            text("apiVersion").split('/').next().unwrap_or_default(),
            text("name")
        );
        let condition = json!({ "type": "AbleToScale", "status": "False", "reason": "FailedGetScale", "message": message });
        return act::update_status(cluster, key, |scaler| act::set_conditions(scaler, &[condition]));
    };
    let current = found["spec"]["replicas"].as_i64().unwrap_or(1);
    let least = spec["minReplicas"].as_i64().unwrap_or(1);
    let desired = if current == 0 {
        0
    } else {
        current.clamp(least, spec["maxReplicas"].as_i64().unwrap_or(1).max(least))
    };
    if desired != current {
        act::scale(cluster, &at, desired)?;
    }
    let conditions = [
        ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
        (
            "ScalingActive",
            "True",
            "ValidMetricFound",
            "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
        ),
        ("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
    ];
    let conditions = conditions.map(|(kind, status, reason, message)| {
        json!({ "type": kind, "status": status, "reason": reason, "message": message })
    });
    act::update_status(cluster, key, |scaler| {
        let old = scaler["status"]["conditions"].clone();
        scaler["status"] =
            json!({ "currentMetrics": null, "currentReplicas": desired, "desiredReplicas": desired });
        if old.is_array() {
            scaler["status"]["conditions"] = old;
        }
        act::set_conditions(scaler, &conditions);
    })
}

/// Looks again at the autoscalers and disruption budgets of a namespace.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn recount(cluster: &mut Cluster, namespace: &str) -> ApiResult<()> {
    for (group, plural) in [("autoscaling", "horizontalpodautoscalers"), ("policy", "poddisruptionbudgets")] {
        let resource = GroupResource::new(group, plural);
        let found = cluster.store.list(&resource, namespace).filter(|object| !meta::is_terminating(object));
        let keys: Vec<_> = found.map(|object| Key::new(&resource, namespace, meta::name(object))).collect();
        for key in keys {
            if group == "policy" { budget(cluster, &key)? } else { autoscaler(cluster, &key)? }
        }
    }
    Ok(())
}

fn budget(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(budget) = cluster.store.get(key).cloned() else { return Ok(()) };
    let spec = &budget["spec"];
    let selector = Selector::of_object(&spec["selector"]);
    let selected: Vec<_> = cluster
        .store
        .list(&pods::resource(), &key.namespace)
        .filter(|pod| selector.matches(pod))
        .cloned()
        .collect();
    // An absent selector selects nothing.
    let selected = if spec["selector"].is_object() { selected } else { Vec::new() };
    let expected = i64::try_from(selected.len()).unwrap_or(i64::MAX);
    let healthy = selected.iter().filter(|pod| pods::is_ready(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let count = |value: &Value| {
        let parsed: Option<IntOrString> = serde_json::from_value(value.clone()).ok();
        parsed.and_then(|value| value.of_total(expected, Rounding::Up))
    };
    let desired = match (count(&spec["minAvailable"]), count(&spec["maxUnavailable"])) {
        (Some(least), _) => least,
        (None, Some(missing)) => (expected - missing).max(0),
        (None, None) => 1,
    };
    let allowed = if expected == 0 { 0 } else { (healthy - desired).max(0) };
    let (status, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    act::update_status(cluster, key, |budget| {
        let generation = meta::generation(budget);
        let old = budget["status"]["conditions"].clone();
        budget["status"] = json!({
            "currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed,
            "expectedPods": expected, "observedGeneration": generation,
        });
        if old.is_array() {
            budget["status"]["conditions"] = old;
        }
        let condition = json!({
            "type": "DisruptionAllowed", "status": status, "reason": reason, "message": "",
            "observedGeneration": generation,
        });
        act::set_conditions(budget, &[condition]);
    })
}
