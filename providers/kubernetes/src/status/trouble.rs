//! What keeps a pod from doing its work, in the words of the scheduler and the kubelet.

use std::time::SystemTime;

use engine_core::object::Object;
use engine_core::status::{Evidence, Remedy, Trouble};
use engine_core::value::{Text, Value};

use super::view::{Condition, View};

/// Reasons for which an image is not there; their messages do not always name it.
const IMAGE_REASONS: [&str; 6] = [
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Returns what keeps a pod from doing its work, `None` for one that is ready, has completed or is going away.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states>
pub(crate) fn trouble(pod: &Object) -> Option<Trouble> {
    let view = View::new(pod.body(), SystemTime::UNIX_EPOCH);
    match view.text(&["status", "phase"]).unwrap_or_default() {
        _ if pod.is_terminating() => None,
        "Succeeded" => None,
        "Failed" => Some(failed(&view)),
        "Running" if view.holds("Ready") => None,
        _ => unscheduled(&view)
            .or_else(|| containers(&view).find_map(|container| waiting(&view, container)))
            .or_else(|| containers(&view).find_map(ended))
            .or_else(|| containers(&view).find_map(|container| unready(&view, container)))
            .or_else(|| Some(starting(&view))),
    }
}

fn containers<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Value> + use<'a> {
    let lists = ["initContainerStatuses", "containerStatuses"].map(|list| view.list(&["status", list]));
    lists.into_iter().flatten()
}

fn passing(words: String, evidence: Option<Evidence>) -> Trouble {
    Trouble { words, said: None, remedy: Remedy::Time, evidence }
}

fn log(name: &str, previous: bool) -> Option<Evidence> {
    Some(Evidence::Log { container: Text::from(name), previous })
}

fn unscheduled(view: &View<'_>) -> Option<Trouble> {
    let scheduled = view.condition("PodScheduled").filter(Condition::is_false)?;
    let words = scheduled.words("no node fits");
    let words = scheduled.reason.map_or_else(|| words.clone(), |reason| format!("{reason}: {words}"));
    Some(passing(words, None))
}

/// A container that waits for something else than its turn.
fn waiting(view: &View<'_>, container: &Value) -> Option<Trouble> {
    let name = container.str_at(&["name"])?;
    let reason = container.str_at(&["state", "waiting", "reason"])?;
    let message = container.str_at(&["state", "waiting", "message"]).unwrap_or_default();
    if matches!(reason, "ContainerCreating" | "PodInitializing") {
        return None;
    }
    if reason == "CrashLoopBackOff" {
        let last = container.at(&["lastState", "terminated"]).map_or_else(|| message.to_owned(), exit);
        return Some(passing(format!("container {name}: {reason}: {last}"), log(name, true)));
    }
    let (image, message, remedy) = match reason {
        "CreateContainerConfigError" => (None, plain(message), missing_key(message).unwrap_or(Remedy::Time)),
        "InvalidImageName" => (image(view, name), plain(message), Remedy::Change),
        _ if IMAGE_REASONS.contains(&reason) => (image(view, name), plain(message), Remedy::Time),
        // A command that cannot be started, or that a hook runs: the message quotes it.
        _ => {
            let said = (!message.is_empty()).then(|| message.to_owned());
            return Some(Trouble { said, ..passing(format!("container {name}: {reason}"), None) });
        }
    };
    let image = image.filter(|image| !message.contains(image)).map(|image| format!("image {image}"));
    let parts = [Some(format!("container {name}")), Some(reason.to_owned()), image, Some(message)];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    Some(Trouble { remedy, ..passing(parts.join(": "), None) })
}

/// A container that ended with an error and is about to be started again, or has been.
fn ended(container: &Value) -> Option<Trouble> {
    let name = container.str_at(&["name"])?;
    let is_error = |end: &&Value| end.get("exitCode").and_then(Value::as_i64).is_some_and(|code| code != 0);
    if let Some(end) = container.at(&["state", "terminated"]).filter(is_error) {
        return Some(passing(format!("container {name}: {}", exit(end)), log(name, false)));
    }
    let end = container.at(&["lastState", "terminated"]).filter(is_error)?;
    let is_ready = container.get("ready").and_then(Value::as_bool) == Some(true);
    (!is_ready).then(|| passing(format!("container {name}: started again: {}", exit(end)), log(name, true)))
}

/// A container that runs and is not ready.
fn unready(view: &View<'_>, container: &Value) -> Option<Trouble> {
    let name = container.str_at(&["name"])?;
    container.at(&["state", "running"])?;
    let holds = |field: &str| container.get(field).and_then(Value::as_bool) == Some(true);
    let has = |probe: &str| declared(view, name).is_some_and(|declared| declared.get(probe).is_some());
    let probe = match (holds("started"), holds("ready")) {
        (false, _) if has("startupProbe") => "startup",
        (_, false) if has("readinessProbe") => "readiness",
        _ => return None,
    };
    let words = format!("container {name}: its {probe} probe has not succeeded yet");
    Some(passing(words, Some(Evidence::Events)))
}

/// A pod that goes its way, as far as it shows.
fn starting(view: &View<'_>) -> Trouble {
    let gate = view.condition("Ready").filter(|it| it.reason == Some("ReadinessGatesNotReady"));
    let words = match gate.and_then(|condition| condition.message) {
        Some(message) => message.to_owned(),
        None if view.condition("PodScheduled").is_none() => match view.text(&["spec", "schedulerName"]) {
            Some(scheduler) => format!("not seen by scheduler {scheduler} yet"),
            None => String::from("not seen by a scheduler yet"),
        },
        None if view.text(&["status", "phase"]) == Some("Running") => String::from("runs, not ready yet"),
        None => String::from("its containers are being created"),
    };
    passing(words, Some(Evidence::Events))
}

fn failed(view: &View<'_>) -> Trouble {
    let reason = view.text(&["status", "reason"]);
    let message = view.text(&["status", "message"]);
    match containers(view).find_map(ended) {
        // What ended the pod from outside says more than how its containers took it.
        _ if reason.is_some() => {
            let words = [reason, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            passing(words, None)
        }
        Some(trouble) => trouble,
        None => passing(message.unwrap_or("failed").to_owned(), None),
    }
}

/// Says how a container ended.
fn exit(end: &Value) -> String {
    let code = end.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
    match end.str_at(&["reason"]) {
        Some("Error" | "Completed" | "") | None => format!("exited with code {code}"),
        Some(reason) => format!("{reason}, exited with code {code}"),
    }
}

/// Returns a container as the pod declares it.
fn declared<'a>(view: &View<'a>, name: &str) -> Option<&'a Value> {
    let lists = ["initContainers", "containers"].map(|list| view.list(&["spec", list]));
    lists.into_iter().flatten().find(|container| container.str_at(&["name"]) == Some(name))
}

fn image<'a>(view: &View<'a>, name: &str) -> Option<&'a str> {
    declared(view, name)?.str_at(&["image"])
}

/// Reads which key a container cannot be given.
///
/// # Source
/// The kubelet: `couldn't find key KEY in Secret NAMESPACE/NAME`.
fn missing_key(message: &str) -> Option<Remedy> {
    let (key, place) = message.split_once("couldn't find key ")?.1.split_once(" in ")?;
    let (kind, object) = place.split_once(' ').filter(|(kind, _)| matches!(*kind, "ConfigMap" | "Secret"))?;
    let name = object.split_whitespace().next()?.split_once('/')?.1;
    Some(Remedy::Key { kind: Text::from(kind), name: Text::from(name), key: Text::from(key) })
}

/// Returns a message of the kubelet with names out of their quotes. What is in quotes is withheld where a secret may
/// be in it, and a plain name holds none that is not seen.
fn plain(message: &str) -> String {
    let is_name = |text: &&str| {
        !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._:/@".contains(&it))
    };
    let (mut out, mut rest) = (String::with_capacity(message.len()), message);
    while let Some((before, after)) = rest.split_once('"') {
        out.push_str(before);
        rest = match after.split_once('"').filter(|(name, _)| is_name(name)) {
            Some((name, behind)) => {
                out.push_str(name);
                behind
            }
            None => {
                out.push('"');
                after
            }
        };
    }
    out + rest
}

#[cfg(test)]
mod tests;
