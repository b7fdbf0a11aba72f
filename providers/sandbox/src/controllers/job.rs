//! Jobs: their pods end at once, and so do they.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/workloads/controllers/job/>

use serde_json::{Value, json};

use super::act;
use super::pods::{self, Behavior};
use crate::cluster::Cluster;
use crate::error::ApiResult;
use crate::meta;
use crate::store::Key;

/// Where a pod of an indexed Job has its number.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Runs a Job to its end, or as far as its pods come.
///
/// # Errors
/// If a change cannot be written, or a pod is refused.
pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(job) = cluster.store.get(key).cloned() else { return Ok(()) };
    if has(&job, "Complete") || has(&job, "Failed") {
        return if job["spec"]["ttlSecondsAfterFinished"] == 0 { act::delete(cluster, key) } else { Ok(()) };
    }
    let spec = &job["spec"];
    if spec["suspend"] == true {
        return act::update_status(cluster, key, |job| suspend(job, true));
    }
    let behavior = pods::behavior(&spec["template"]);
    let parallelism = spec["parallelism"].as_i64().unwrap_or(1);
    let completions = spec["completions"].as_i64().unwrap_or(parallelism);
    let wanted = match behavior {
        Behavior::Run => completions,
        Behavior::NeverReady => completions.min(parallelism),
        Behavior::Crash => 1,
    };
    let found = i64::try_from(pods::owned(cluster, &job).len()).unwrap_or(i64::MAX);
    for index in found..pods::bounded(wanted) {
        let mut pod = pods::from_template(&job, &spec["template"], &format!("{}-", key.name));
        if spec["completionMode"] == "Indexed" {
            pod["metadata"]["annotations"][INDEX] = json!(index.to_string());
        }
        act::create(cluster, &key.namespace, pod)?;
    }
    let owned = pods::owned(cluster, &job);
    act::update_status(cluster, key, |job| write_status(job, &owned, wanted))
}

fn has(job: &Value, condition: &str) -> bool {
    meta::items(&job["status"]["conditions"])
        .iter()
        .any(|found| found["type"] == condition && found["status"] == "True")
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": message, "lastProbeTime": meta::now() })
}

fn suspend(job: &mut Value, is_suspended: bool) {
    let (status, reason, message) = if is_suspended {
        ("True", "JobSuspended", "Job suspended")
    } else {
        ("False", "JobResumed", "Job resumed")
    };
    act::set_conditions(job, &[condition("Suspended", status, reason, message)]);
    if let Some(status) = meta::child(job, "status") {
        for (field, value) in
            [("ready", json!(0)), ("terminating", json!(0)), ("uncountedTerminatedPods", json!({}))]
        {
            status.insert(field.into(), value);
        }
    }
}

// The numbers of the pods that have succeeded: "0,1,4-7".
fn completed_indexes(owned: &[(Key, Value)]) -> String {
    let done = owned.iter().filter(|(_, pod)| pod["status"]["phase"] == "Succeeded");
    let index = |pod: &Value| meta::annotation(pod, INDEX).and_then(|text| text.parse::<u64>().ok());
    let mut numbers: Vec<u64> = done.filter_map(|(_, pod)| index(pod)).collect();
    numbers.sort_unstable();
    let runs = numbers.chunk_by(|one, next| next - one == 1);
    let shown = runs.map(|run| match run {
        [first, _, .., last] => format!("{first}-{last}"),
        few => few.iter().map(u64::to_string).collect::<Vec<_>>().join(","),
    });
    shown.collect::<Vec<_>>().join(",")
}

fn write_status(job: &mut Value, owned: &[(Key, Value)], wanted: i64) {
    let count = |phase: &str| owned.iter().filter(|(_, pod)| pod["status"]["phase"] == phase).count();
    let (succeeded, failed) = (count("Succeeded"), count("Failed"));
    let active = owned.len() - succeeded - failed;
    let now = json!(meta::now());
    let started = job["status"].get("startTime").cloned().unwrap_or_else(|| now.clone());
    let conditions = job["status"]["conditions"].clone();
    job["status"] = json!({
        "startTime": started, "succeeded": succeeded, "failed": failed, "active": active, "ready": 0,
        "terminating": 0, "uncountedTerminatedPods": {},
    });
    let done = completed_indexes(owned);
    if job["spec"]["completionMode"] == "Indexed" && !done.is_empty() {
        job["status"]["completedIndexes"] = json!(done);
    }
    if !conditions.is_null() {
        job["status"]["conditions"] = conditions;
    }
    if has(job, "Suspended") {
        suspend(job, false);
    }
    if failed > 0 {
        let message = "Job has reached the specified backoff limit";
        let reason = "BackoffLimitExceeded";
        act::set_conditions(
            job,
            &[
                condition("FailureTarget", "True", reason, message),
                condition("Failed", "True", reason, message),
            ],
        );
    } else if i64::try_from(succeeded).is_ok_and(|succeeded| succeeded >= pods::bounded(wanted)) {
        let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
        act::set_conditions(
            job,
            &[
                condition("SuccessCriteriaMet", "True", reason, message),
                condition("Complete", "True", reason, message),
            ],
        );
        job["status"]["completionTime"] = now;
    }
}
