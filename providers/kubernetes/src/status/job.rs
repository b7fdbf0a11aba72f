//! Jobs.

use engine_core::status::Status;

use super::view::{Condition, View};

/// Returns Current once the job completed or is suspended by its spec, Failed when it gave up.
///
/// kstatus is content with a job that has started; what depends on a migration is not.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions>
pub(super) fn status(view: &View<'_>) -> Status {
    for condition in view.conditions().filter(Condition::is_true) {
        match condition.kind {
            "Complete" => return Status::Current,
            "Failed" => return Status::Failed(condition.words("the job failed")),
            _ => {}
        }
    }
    if view.is_true(&["spec", "suspend"]) {
        return Status::Current;
    }
    if view.text(&["status", "startTime"]).is_none() {
        return Status::InProgress(String::from("not started yet"));
    }
    let succeeded = view.count("succeeded");
    let failed = view.count("failed");
    let mut words = match view.int(&["spec", "completions"]) {
        Some(wanted) => format!("{succeeded} of {wanted} completions"),
        None => format!("{succeeded} completions"),
    };
    if failed > 0 {
        words.push_str(&format!(", {failed} failed pods"));
    }
    Status::InProgress(words)
}
