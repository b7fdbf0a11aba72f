//! Argo CD applications.

use engine_core::status::Status;
use engine_core::value::Value;

use super::view::View;

/// Returns Current once an application that syncs by itself is Synced and Healthy, and one that a person
/// syncs is accepted: compared with its source without error.
///
/// There is no observed generation, so what was compared is matched with what the spec asks for. A failed
/// sync stays `InProgress`: the next commit or a retry may cure it.
///
/// # Source
/// <https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/>
pub(super) fn status(view: &View<'_>) -> Status {
    if let Some(error) = view.conditions().find(|it| it.kind.ends_with("Error")) {
        return Status::InProgress(error.words(error.kind));
    }
    let sync = view.text(&["status", "sync", "status"]).unwrap_or_default();
    if matches!(sync, "" | "Unknown") || !compared_with_spec(view) {
        return Status::InProgress(String::from("not compared with its source yet"));
    }
    if !is_automated(view) {
        return Status::Current;
    }
    if sync != "Synced" {
        return Status::InProgress(with_operation(view, sync));
    }
    let health = view.text(&["status", "health", "status"]).unwrap_or_default();
    match (health, view.text(&["status", "health", "message"])) {
        // Suspended is what waits for a person or its time, such as a paused rollout: nothing more will come of it.
        ("Healthy" | "Suspended", _) => Status::Current,
        ("", _) => Status::InProgress(String::from("Synced, health not known yet")),
        (health, Some(message)) if !message.is_empty() => {
            Status::InProgress(format!("Synced, {health}: {message}"))
        }
        (health, _) => Status::InProgress(format!("Synced, {health}")),
    }
}

/// `automated` may be there and switched off.
fn is_automated(view: &View<'_>) -> bool {
    let automated = view.at(&["spec", "syncPolicy", "automated"]);
    let policy = automated.and_then(Value::as_map);
    policy.is_some_and(|it| it.get("enabled").and_then(Value::as_bool) != Some(false))
}

/// Tells whether the last comparison was with the source that the spec names now. Only the fields that say
/// where it is are matched; servers may drop or add empty ones elsewhere.
fn compared_with_spec(view: &View<'_>) -> bool {
    let place = |source: &Value| {
        ["repoURL", "targetRevision", "path", "chart"]
            .map(|name| source.str_at(&[name]).unwrap_or_default().to_owned())
    };
    let sources = |at: &[&str]| {
        let one = [at, &["source"]].concat();
        let many = [at, &["sources"]].concat();
        let many = view.list(&many).iter().map(place).collect::<Vec<_>>();
        if many.is_empty() { view.at(&one).map(place).into_iter().collect() } else { many }
    };
    let compared = sources(&["status", "sync", "comparedTo"]);
    compared.is_empty() || compared == sources(&["spec"])
}

fn with_operation(view: &View<'_>, sync: &str) -> String {
    let phase = view.text(&["status", "operationState", "phase"]);
    let message = view.text(&["status", "operationState", "message"]);
    match (phase, message) {
        (Some(phase), Some(message)) => format!("{sync}, sync {phase}: {message}"),
        (Some(phase), None) => format!("{sync}, sync {phase}"),
        _ => sync.to_owned(),
    }
}
