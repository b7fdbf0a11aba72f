//! Cells of workloads and of what scales them.

use jiff::Timestamp;
use serde_json::Value;

use super::cells::{condition, string};
use super::text;
use crate::meta;

/// Where the pod template of a kind lies.
const TEMPLATES: [&str; 3] = [
    "/spec/template/spec/containers",
    "/spec/jobTemplate/spec/template/spec/containers",
    "/template/spec/containers",
];

/// One field of all containers of the pod template.
pub(super) fn containers(object: &Value, field: &str) -> String {
    let found = TEMPLATES.iter().find_map(|pointer| object.pointer(pointer));
    let containers = found.map(meta::items).unwrap_or_default();
    containers.iter().map(|container| string(&container[field])).collect::<Vec<_>>().join(",")
}

/// Ready replicas of wanted ones.
pub(super) fn ready_replicas(object: &Value) -> String {
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    format!("{}/{}", number(&object["status"]["readyReplicas"]), number(&object["spec"]["replicas"]))
}

/// The kind and name of the controller that owns the object.
pub(super) fn controller(object: &Value) -> String {
    let owners = meta::items(&object["metadata"]["ownerReferences"]);
    let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) else {
        return "<none>".to_owned();
    };
    let group = string(&owner["apiVersion"]).split_once('/').map(|(group, _)| format!(".{group}"));
    let kind = format!("{}{}", string(&owner["kind"]), group.unwrap_or_default()).to_lowercase();
    format!("{kind}/{}", string(&owner["name"]))
}

/// How far a Job is.
pub(super) fn job_status(job: &Value) -> &'static str {
    let has = |kind| condition(job, kind).is_some_and(|found| found["status"] == "True");
    let states = [
        (has("Complete"), "Complete"),
        (has("Failed"), "Failed"),
        (meta::is_terminating(job), "Terminating"),
        (has("Suspended"), "Suspended"),
        (has("FailureTarget"), "FailureTarget"),
        (has("SuccessCriteriaMet"), "SuccessCriteriaMet"),
    ];
    states.iter().find(|(holds, _)| *holds).map_or("Running", |(_, state)| state)
}

/// Succeeded pods of wanted ones.
pub(super) fn completions(job: &Value) -> String {
    let succeeded = job["status"]["succeeded"].as_i64().unwrap_or(0);
    match (job["spec"]["completions"].as_i64(), job["spec"]["parallelism"].as_i64()) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, Some(parallelism)) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

/// How long a Job took, or has run.
pub(super) fn job_duration(job: &Value) -> String {
    let time = |field: &str| string(&job["status"][field]).parse::<Timestamp>().ok();
    let Some(start) = time("startTime") else { return String::new() };
    let end = time("completionTime").unwrap_or_else(Timestamp::now);
    text::duration(end.as_second() - start.as_second())
}

/// What an autoscaler measures, and what it wants: the first two of its metrics.
pub(super) fn scaling_targets(autoscaler: &Value) -> String {
    let specs = meta::items(&autoscaler["spec"]["metrics"]);
    let statuses = meta::items(&autoscaler["status"]["currentMetrics"]);
    let utilization = &autoscaler["spec"]["targetCPUUtilizationPercentage"];
    if let (true, Some(target)) = (specs.is_empty(), utilization.as_i64()) {
        let current = autoscaler["status"]["currentCPUUtilizationPercentage"].as_i64();
        return format!("cpu: {}/{target}%", percent(current, "<unknown>"));
    }
    let texts: Vec<_> = specs
        .iter()
        .enumerate()
        .map(|(idx, spec)| metric(spec, statuses.get(idx).unwrap_or(&Value::Null)))
        .collect();
    match texts.len() {
        0 => "<none>".to_owned(),
        count @ 1..=2 => texts[..count].join(", "),
        count => format!("{} + {} more...", texts[..2].join(", "), count - 2),
    }
}

fn percent(value: Option<i64>, absent: &str) -> String {
    value.map_or_else(|| absent.to_owned(), |value| format!("{value}%"))
}

fn metric(spec: &Value, status: &Value) -> String {
    let field = match string(&spec["type"]) {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "ContainerResource" => "containerResource",
        _ => "resource",
    };
    let (wanted, current) = (&spec[field]["target"], &status[field]["current"]);
    let known = |field: &str| current[field].as_str().unwrap_or("<unknown>").to_owned();
    let is_resource = matches!(field, "resource" | "containerResource");
    let name = if is_resource { format!("{}: ", string(&spec[field]["name"])) } else { String::new() };
    match wanted["averageValue"].as_str() {
        Some(average) => {
            let note = if matches!(field, "external" | "object") { " (avg)" } else { "" };
            format!("{name}{}/{average}{note}", known("averageValue"))
        }
        None if is_resource => {
            let current = percent(current["averageUtilization"].as_i64(), "<unknown>");
            format!("{name}{current}/{}", percent(wanted["averageUtilization"].as_i64(), "<auto>"))
        }
        None => format!("{}/{}", known("value"), string(&wanted["value"])),
    }
}
