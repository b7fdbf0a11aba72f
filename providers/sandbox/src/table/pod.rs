//! The row of a pod.

use serde_json::{Value, json};

use super::cells::{condition, string};
use super::text;
use crate::meta;

/// What a row says of a pod's containers.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Ready containers of all containers.
    pub ready: String,
    /// What the pod does, in one word.
    pub status: String,
    /// How often containers were started again, and when last.
    pub restarts: String,
}

/// The conditions of a row: whether the pod has come to its end, and how.
pub(super) fn conditions(pod: &Value) -> Option<Value> {
    let message = match string(&pod["status"]["phase"]) {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    let reason = &pod["status"]["phase"];
    Some(json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]))
}

/// Sums a pod up.
pub(super) fn summary(pod: &Value) -> Summary {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let restartable = meta::items(&spec["initContainers"]).iter().filter(|c| c["restartPolicy"] == "Always");
    let total = meta::items(&spec["containers"]).len() + restartable.clone().count();
    let mut tally = Tally::default();
    let mut word =
        string(if status["reason"].is_string() { &status["reason"] } else { &status["phase"] }).to_owned();
    if condition(pod, "PodScheduled").is_some_and(|found| found["reason"] == "SchedulingGated") {
        "SchedulingGated".clone_into(&mut word);
    }
    let names: Vec<_> = restartable.map(|container| &container["name"]).collect();
    let initializing = initialization(pod, &names, &mut tally);
    let is_initialized = condition(pod, "Initialized").is_some_and(|found| found["status"] == "True");
    match initializing {
        Some(stage) if !is_initialized => word = stage,
        _ => {
            tally.restarts = tally.restartable_restarts;
            tally.last_restart = tally.restartable_last.clone();
            word = running(pod, word, &mut tally);
        }
    }
    if meta::is_terminating(pod) {
        let phase = string(&status["phase"]);
        if status["reason"] == "NodeLost" {
            "Unknown".clone_into(&mut word);
        } else if !matches!(phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut word);
        }
    }
    Summary { ready: format!("{}/{total}", tally.ready), status: word, restarts: tally.restarts_text() }
}

#[derive(Debug, Default)]
struct Tally {
    ready: usize,
    restarts: i64,
    last_restart: Value,
    restartable_restarts: i64,
    restartable_last: Value,
}

impl Tally {
    fn count(&mut self, container: &Value) {
        self.restarts += container["restartCount"].as_i64().unwrap_or(0);
        self.last_restart = later(&self.last_restart, container);
    }

    fn restarts_text(&self) -> String {
        if self.restarts == 0 || self.last_restart.is_null() {
            return self.restarts.to_string();
        }
        format!("{} ({} ago)", self.restarts, text::since(Some(&self.last_restart), "<unknown>"))
    }
}

// Times of one format compare as texts do.
fn later(known: &Value, container: &Value) -> Value {
    let ended = &container["lastState"]["terminated"]["finishedAt"];
    if string(ended) > string(known) { ended.clone() } else { known.clone() }
}

// The stage at which the init containers are; nothing once they are through.
fn initialization(pod: &Value, restartable: &[&Value], tally: &mut Tally) -> Option<String> {
    let statuses = meta::items(&pod["status"]["initContainerStatuses"]);
    for (idx, container) in statuses.iter().enumerate() {
        tally.count(container);
        let is_restartable = restartable.contains(&&container["name"]);
        if is_restartable {
            tally.restartable_restarts += container["restartCount"].as_i64().unwrap_or(0);
            tally.restartable_last = later(&tally.restartable_last, container);
        }
        let (terminated, waiting) = (&container["state"]["terminated"], &container["state"]["waiting"]);
        if terminated["exitCode"] == 0 {
            continue;
        }
        if is_restartable && container["started"] == true {
            tally.ready += usize::from(container["ready"] == true);
            continue;
        }
        let stage = match (terminated, string(&waiting["reason"])) {
            (Value::Object(_), _) => ended(terminated),
            (_, "" | "PodInitializing") => {
                format!("{idx}/{}", meta::items(&pod["spec"]["initContainers"]).len())
            }
            (_, reason) => reason.to_owned(),
        };
        return Some(format!("Init:{stage}"));
    }
    None
}

fn ended(terminated: &Value) -> String {
    let number = |field: &str| terminated[field].as_i64().unwrap_or(0);
    match (string(&terminated["reason"]), number("signal")) {
        ("", 0) => format!("ExitCode:{}", number("exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn running(pod: &Value, mut word: String, tally: &mut Tally) -> String {
    let (mut has_running, mut failure) = (false, String::new());
    for container in meta::items(&pod["status"]["containerStatuses"]).iter().rev() {
        tally.count(container);
        let state = &container["state"];
        let waits = string(&state["waiting"]["reason"]);
        if !waits.is_empty() {
            waits.clone_into(&mut word);
        } else if state["terminated"].is_object() {
            word = ended(&state["terminated"]);
            if state["terminated"]["exitCode"].as_i64().unwrap_or(0) != 0 {
                failure.clone_from(&word);
            }
        } else if container["ready"] == true && state["running"].is_object() {
            has_running = true;
            tally.ready += 1;
        }
    }
    if word == "Completed" {
        let is_ready = condition(pod, "Ready").is_some_and(|found| found["status"] == "True");
        match (has_running, is_ready, failure.is_empty()) {
            (true, true, _) => "Running".clone_into(&mut word),
            (_, _, false) => word = failure,
            (true, false, true) => "NotReady".clone_into(&mut word),
            (false, _, true) => {}
        }
    }
    word
}

/// How many of a pod's readiness gates are open.
pub(super) fn readiness_gates(pod: &Value) -> String {
    let gates = meta::items(&pod["spec"]["readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let is_open = |gate: &&Value| {
        condition(pod, string(&gate["conditionType"])).is_some_and(|found| found["status"] == "True")
    };
    format!("{}/{}", gates.iter().filter(is_open).count(), gates.len())
}
