//! Pods.

use std::time::Duration;

use engine_core::status::Status;
use engine_core::value::Value;

use super::view::View;

/// How long the scheduler may find no node before the pod counts as failed, as in kstatus.
const UNSCHEDULABLE: Duration = Duration::from_secs(15);

/// Returns Current once the pod is ready or over, whatever its end: nothing more will come of it.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase>
pub(super) fn status(view: &View<'_>) -> Status {
    match view.text(&["status", "phase"]).unwrap_or_default() {
        "Succeeded" | "Failed" => Status::Current,
        "Running" if view.holds("Ready") => Status::Current,
        "Running" => running(view),
        "Pending" => pending(view),
        "" => Status::InProgress(String::from("not seen by the scheduler yet")),
        other => Status::InProgress(format!("in phase {other}")),
    }
}

fn running(view: &View<'_>) -> Status {
    let waiting = waiting(view, &["containerStatuses"]);
    let crashing: Vec<_> =
        waiting.iter().filter(|it| it.reason == "CrashLoopBackOff").map(|it| it.name).collect();
    if !crashing.is_empty() {
        return Status::Failed(format!("containers keep crashing: {}", crashing.join(", ")));
    }
    match waiting.first() {
        Some(container) => Status::InProgress(container.words()),
        None => Status::InProgress(
            view.condition("Ready")
                .map_or_else(|| String::from("running, but not ready"), |it| it.words("not ready")),
        ),
    }
}

fn pending(view: &View<'_>) -> Status {
    if let Some(scheduled) = view.condition("PodScheduled")
        && scheduled.is_false()
        && scheduled.reason == Some("Unschedulable")
    {
        let words = scheduled.words("no node fits the pod");
        return if view.is_older_than(UNSCHEDULABLE) {
            Status::Failed(words)
        } else {
            Status::InProgress(words)
        };
    }
    let waiting = waiting(view, &["initContainerStatuses", "containerStatuses"]);
    Status::InProgress(match waiting.first() {
        Some(container) => container.words(),
        None => String::from("waits to be started"),
    })
}

/// A container that waits.
struct Waiting<'a> {
    name: &'a str,
    reason: &'a str,
    message: Option<&'a str>,
}

impl Waiting<'_> {
    fn words(&self) -> String {
        match self.message {
            Some(message) => format!("container {}: {}: {message}", self.name, self.reason),
            None => format!("container {}: {}", self.name, self.reason),
        }
    }
}

fn waiting<'a>(view: &View<'a>, lists: &[&str]) -> Vec<Waiting<'a>> {
    let containers = lists.iter().flat_map(|list| view.list(&["status", list]));
    containers
        .filter_map(|container: &'a Value| {
            Some(Waiting {
                name: container.str_at(&["name"])?,
                reason: container.str_at(&["state", "waiting", "reason"])?,
                message: container.str_at(&["state", "waiting", "message"]),
            })
        })
        .collect()
}
