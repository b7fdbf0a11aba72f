//! Rules of Jobs and `CronJobs`.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/> and
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/>

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::{cron, pods};
use crate::meta;
use crate::selector::Selector;

/// The rules of a Job.
pub(super) fn job(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    job_spec(checks, spec, "spec");
    let own = json!({ "batch.kubernetes.io/controller-uid": meta::uid(object) });
    let labels = spec["template"]["metadata"].get("labels").cloned().unwrap_or_default();
    if spec["manualSelector"] != true && spec["selector"]["matchLabels"] != own {
        checks.invalid("spec.selector", &spec["selector"], "`selector` not auto-generated");
    }
    if !Selector::of_object(&spec["selector"]).matches_labels(&labels) || labels.is_null() {
        let detail = "`selector` does not match template `labels`";
        checks.invalid("spec.template.metadata.labels", &labels, detail);
    }
}

fn job_spec(checks: &mut Checks, spec: &Value, at: &str) {
    let path = |field: &str| format!("{at}.{field}");
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        checks.not_negative(path(field), &spec[field]);
    }
    if !spec["maxFailedIndexes"].is_null() && spec["backoffLimitPerIndex"].is_null() {
        checks.required(path("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    checks.known(path("completionMode"), &spec["completionMode"], &["NonIndexed", "Indexed"]);
    if spec["completionMode"] == "Indexed" && spec["completions"].is_null() {
        checks.required(path("completions"), "when completion mode is Indexed");
    }
    if spec["completionMode"].is_null() || spec["completionMode"] == "NonIndexed" {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if !spec[field].is_null() {
                checks.invalid(path(field), &spec[field], "requires indexed completion mode");
            }
        }
    }
    failure_policy(checks, &spec["podFailurePolicy"], &path("podFailurePolicy"));
    checks.known(
        path("podReplacementPolicy"),
        &spec["podReplacementPolicy"],
        &["Failed", "TerminatingOrFailed"],
    );
    pods::check_template(checks, &spec["template"], &path("template"), &[]);
    let policy = &spec["template"]["spec"]["restartPolicy"];
    let at = path("template.spec.restartPolicy");
    match text(policy) {
        "" | "Always" => checks.required(at, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if spec["podFailurePolicy"].is_object() => {
            checks.invalid(at, policy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
        "OnFailure" | "Never" => {}
        _ => checks.unsupported(at, policy, &["OnFailure", "Never"]),
    }
}

fn failure_policy(checks: &mut Checks, policy: &Value, at: &str) {
    for (index, rule) in meta::items(&policy["rules"]).iter().enumerate() {
        let at = format!("{at}.rules[{index}]");
        let action = text(&rule["action"]);
        let known = ["Count", "FailIndex", "FailJob", "Ignore"];
        if action.is_empty() {
            checks.required(
                format!("{at}.action"),
                "valid values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\"",
            );
        } else {
            checks.known(format!("{at}.action"), &rule["action"], &known);
        }
        let by_code = rule["onExitCodes"].is_object();
        if !by_code && meta::items(&rule["onPodConditions"]).is_empty() {
            let detail = "specifying one of OnExitCodes and OnPodConditions is required";
            checks.push(crate::error::FieldError::invalid_bare(at, detail));
        }
    }
}

/// What a Job runs cannot change; where its pods run can, while it is suspended and has not begun.
pub(super) fn job_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let (old, new) = (&live["spec"], &object["spec"]);
    let fixed = |checks: &mut Checks, field: &str| {
        if old[field] != new[field] {
            checks.invalid(format!("spec.{field}"), &new[field], "field is immutable");
        }
    };
    let is_elastic = new["completionMode"] == "Indexed" && new["completions"] == new["parallelism"];
    if !is_elastic {
        fixed(checks, "completions");
    }
    fixed(checks, "selector");
    template_unchanged(checks, live, object);
    for field in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
    {
        fixed(checks, field);
    }
}

fn template_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let is_open = live["spec"]["suspend"] == true && live["status"]["startTime"].is_null();
    let fixed = |object: &Value| {
        let mut template = object["spec"]["template"].clone();
        if is_open {
            meta::take(&mut template, "metadata");
            for field in ["nodeSelector", "tolerations", "schedulingGates", "affinity"] {
                meta::take(&mut template["spec"], field);
            }
            for list in ["containers", "initContainers"] {
                for container in template["spec"][list].as_array_mut().into_iter().flatten() {
                    meta::take(container, "resources");
                }
            }
        }
        template
    };
    if fixed(live) != fixed(object) {
        let (at, value) = if is_open {
            ("spec.template.spec", &object["spec"]["template"]["spec"])
        } else {
            ("spec.template", &object["spec"]["template"])
        };
        checks.invalid(at, value, "field is immutable");
    }
}

/// The rules of a `CronJob`.
pub(super) fn cron_job(checks: &mut Checks, object: &Value, live: Option<&Value>) {
    let spec = &object["spec"];
    let schedule = text(&spec["schedule"]);
    if schedule.is_empty() {
        checks.required("spec.schedule", "");
    } else {
        if let Some(fault) = cron::fault(schedule) {
            checks.invalid("spec.schedule", &json!(schedule), &fault);
        }
        let had_zone = live.is_some_and(|live| text(&live["spec"]["schedule"]).contains("TZ"));
        if schedule.contains("TZ") && !had_zone {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            checks.invalid("spec.schedule", &json!(schedule), detail);
        }
    }
    checks.not_negative("spec.startingDeadlineSeconds", &spec["startingDeadlineSeconds"]);
    time_zone(checks, &spec["timeZone"]);
    checks.known("spec.concurrencyPolicy", &spec["concurrencyPolicy"], &["Allow", "Forbid", "Replace"]);
    let job = &spec["jobTemplate"]["spec"];
    job_spec(checks, job, "spec.jobTemplate.spec");
    if job["selector"].is_object() {
        checks.invalid(
            "spec.jobTemplate.spec.selector",
            &job["selector"],
            "`selector` will be auto-generated",
        );
    }
    if job["manualSelector"] == true {
        checks.unsupported("spec.jobTemplate.spec.manualSelector", &json!(true), &["nil", "false"]);
    }
    checks.not_negative("spec.successfulJobsHistoryLimit", &spec["successfulJobsHistoryLimit"]);
    checks.not_negative("spec.failedJobsHistoryLimit", &spec["failedJobsHistoryLimit"]);
    // The names of its Jobs are longer by eleven letters, and are labels.
    let name = meta::name(object);
    if live.is_none() && name.len() > 52 {
        checks.invalid("metadata.name", &json!(name), "must be no more than 52 characters");
    }
}

// The sandbox knows no time zones, only what their names look like.
fn is_zone_part(part: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
    !part.is_empty() && !matches!(part, "." | "..") && !part.starts_with('-') && part.chars().all(is_plain)
}

fn time_zone(checks: &mut Checks, zone: &Value) {
    let Some(name) = zone.as_str() else { return };
    let detail = if name.is_empty() {
        "timeZone must be nil or non-empty string".to_owned()
    } else if name.eq_ignore_ascii_case("local") {
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones".to_owned()
    } else if !name.split('/').all(is_zone_part) {
        format!("unknown time zone {name}")
    } else {
        return;
    };
    checks.invalid("spec.timeZone", zone, &detail);
}
