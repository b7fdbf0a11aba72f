//! Pod → trouble.

use serde_json::{Value as Json, json};

use super::*;
use crate::scenario::value;

/// Returns the words, what can end it if not time, and where more is to be heard.
fn describe(metadata: &Json, status: &Json) -> String {
    let pod = json!({"kind": "Pod", "metadata": metadata, "spec": spec(), "status": status});
    let Some(trouble) = trouble(&Object::new(value(pod))) else {
        return "none".into();
    };
    let remedy = match trouble.remedy {
        Remedy::Time => String::new(),
        Remedy::Change => " [change]".into(),
        Remedy::Key { kind, name, key } => format!(" [{key} of {kind} {name}]"),
    };
    let evidence = match trouble.evidence {
        None => String::new(),
        Some(Evidence::Events) => " [events]".into(),
        Some(Evidence::Log { container, previous: true }) => format!(" [log of {container} before]"),
        Some(Evidence::Log { container, .. }) => format!(" [log of {container}]"),
    };
    let said = trouble.said.map(|said| format!(" [said {said}]")).unwrap_or_default();
    format!("{}{said}{remedy}{evidence}", trouble.words)
}

/// A status with one container `main` in phase `phase`.
fn with(phase: &str, container: &Json) -> Json {
    let mut status = json!({"name": "main"});
    for (name, field) in container.as_object().unwrap() {
        status[name] = field.clone();
    }
    json!({"phase": phase, "conditions": [{"type": "PodScheduled", "status": "True"}],
           "containerStatuses": [status]})
}

fn waiting(reason: &str, message: &str) -> Json {
    with("Pending", &json!({"state": {"waiting": {"reason": reason, "message": message}}}))
}

fn spec() -> Json {
    json!({"schedulerName": "default-scheduler", "containers": [
        {"name": "main", "image": "shop:1.0", "readinessProbe": {}, "startupProbe": {}}]})
}

fn check(cases: &[(Json, &str)]) {
    for (status, expected) in cases {
        assert_eq!(&describe(&json!({}), status), expected, "{status}");
    }
}

#[test]
fn a_pod_that_does_not_start_says_why() {
    let no_node = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu."}]});
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    let cases = [
        (json!({"phase": "Succeeded"}), "none"),
        (ready, "none"),
        (json!({}), "not seen by scheduler default-scheduler yet [events]"),
        (no_node, "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu."),
        (waiting("ContainerCreating", ""), "its containers are being created [events]"),
        (
            waiting("ImagePullBackOff", "Back-off pulling image \"shop:1.0\": ErrImagePull: not found"),
            "container main: ImagePullBackOff: Back-off pulling image shop:1.0: ErrImagePull: not found",
        ),
        (
            waiting("ErrImagePull", "unauthorized"),
            "container main: ErrImagePull: image shop:1.0: unauthorized",
        ),
        (
            waiting("InvalidImageName", "couldn't parse image name: invalid reference format"),
            "container main: InvalidImageName: image shop:1.0: couldn't parse image name: invalid reference \
             format [change]",
        ),
        (
            waiting("CreateContainerConfigError", "couldn't find key password in Secret dev/db"),
            "container main: CreateContainerConfigError: couldn't find key password in Secret dev/db \
             [password of Secret db]",
        ),
        (
            waiting("CreateContainerConfigError", "secret \"db\" not found"),
            "container main: CreateContainerConfigError: secret db not found",
        ),
        (
            waiting("RunContainerError", "exec: \"/bin/x\": no such file"),
            "container main: RunContainerError [said exec: \"/bin/x\": no such file]",
        ),
    ];
    check(&cases);
}

#[test]
fn a_pod_that_does_not_go_on_says_why() {
    let ended = |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
    let backoff = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting"}});
    let gates = json!({"phase": "Running", "conditions": [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady",
         "message": "corresponding condition of pod readiness gate \"x\" does not exist."}]});
    let cases = [
        (
            with("Running", &json!({"state": backoff, "lastState": ended(137, "OOMKilled")})),
            "container main: CrashLoopBackOff: OOMKilled, exited with code 137 [log of main before]",
        ),
        (
            with("Running", &json!({"state": ended(1, "Error")})),
            "container main: exited with code 1 [log of main]",
        ),
        (
            with(
                "Running",
                &json!({"state": {"running": {}}, "lastState": ended(2, "Error"), "started": true}),
            ),
            "container main: started again: exited with code 2 [log of main before]",
        ),
        (
            with("Running", &json!({"state": {"running": {}}, "started": true, "ready": false})),
            "container main: its readiness probe has not succeeded yet [events]",
        ),
        (
            with("Running", &json!({"state": {"running": {}}, "started": false, "ready": false})),
            "container main: its startup probe has not succeeded yet [events]",
        ),
        (gates, "corresponding condition of pod readiness gate \"x\" does not exist. [events]"),
        (
            with("Failed", &json!({"state": ended(3, "Error")})),
            "container main: exited with code 3 [log of main]",
        ),
        (
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}),
            "Evicted: The node was low on memory.",
        ),
    ];
    check(&cases);
}

#[test]
fn a_pod_that_goes_away_is_none_that_is_waited_for() {
    let metadata = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
    assert_eq!(describe(&metadata, &waiting("ErrImagePull", "no")), "none");
}
