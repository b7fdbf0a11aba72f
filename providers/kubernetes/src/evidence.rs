//! What is to be heard of an object in trouble: the last line of a container, or the newest warning.

use engine_core::kind_info::{KindInfo, Scope};
use engine_core::object_ref::{GroupKind, Uid};
use engine_core::ports::{ProviderError, Target};
use engine_core::status::Evidence;
use engine_core::value::{Text, Value};
use serde::Deserialize;

use crate::failure::Subject;
use crate::path::{self, Query};
use crate::retry::Repeat;
use crate::transport::{Call, Transport};

/// The longest line that is of use. A longer one comes cut, and a secret that is cut is not recognised any more.
const LONGEST_LINE: usize = 16 * 1024;
/// Where events on objects without a namespace are.
const NAMESPACE_OF_OTHERS: &str = "default";

/// Asks for evidence.
///
/// # Errors
/// The server refuses, or does not answer.
pub(crate) async fn evidence(
    transport: &Transport,
    (about, uid): (&Target, &Uid),
    evidence: &Evidence,
) -> Result<Option<String>, ProviderError> {
    match evidence {
        Evidence::Log { container, previous } => last_line(transport, about, (container, *previous)).await,
        Evidence::Events => newest_warning(transport, about.namespace.as_deref(), uid).await,
    }
}

/// Returns the last line that a container wrote, `None` if it wrote nothing or far too much.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/cluster-administration/logging/#basic-logging-in-kubernetes>
async fn last_line(
    transport: &Transport,
    pod: &Target,
    (container, previous): (&str, bool),
) -> Result<Option<String>, ProviderError> {
    let uri = Query::default()
        .with("container", container)
        .with_some("previous", previous.then_some("true"))
        .with("tailLines", "1")
        .with("limitBytes", &LONGEST_LINE.to_string())
        .on(&format!("{}/log", path::object(pod)?));
    // Nobody waits for it: once is enough.
    let call = Call { accept: "*/*", repeat: Repeat::IfRefused, ..Call::get(uri) };
    let reply = transport.send(&call).await?.success(Subject::default())?;
    if reply.body.len() >= LONGEST_LINE {
        return Ok(None);
    }
    let line = without_colours(&String::from_utf8_lossy(&reply.body));
    let line = message(&line).unwrap_or_else(|| line.trim().to_owned());
    Ok((!line.is_empty()).then_some(line))
}

/// Returns text without the sequences that colour it on a terminal: they take room, and may divide what a reader, or
/// whoever withholds secrets, looks for.
///
/// # Source
/// ECMA-48, 5.4: control sequences end with a byte from 0x40 to 0x7E.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|char: char| matches!(char, '@'..='~'));
        out.push_str(end.map_or("", |end| &piece[end + 1..]));
    }
    out
}

/// Returns message and error of a line that a structured logger wrote.
fn message(line: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let first = |names: &[&str]| names.iter().find_map(|name| entry.str_at(&[name])).map(str::trim);
    let parts = [first(&["message", "msg"]), first(&["error", "err", "exception"])];
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

#[derive(Deserialize)]
struct Events {
    items: Option<Vec<Value>>,
}

/// Returns reason and message of the newest warning among the events on an object.
///
/// # Source
/// <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>
async fn newest_warning(
    transport: &Transport,
    namespace: Option<&str>,
    uid: &Uid,
) -> Result<Option<String>, ProviderError> {
    let kind = KindInfo {
        kind: GroupKind::new("", "Event"),
        version: Text::from("v1"),
        plural: Text::from("events"),
        scope: Scope::Namespaced,
        listable: true,
    };
    let path = path::collection(&kind, Some(namespace.unwrap_or(NAMESPACE_OF_OTHERS)))?;
    let uri = Query::default()
        .with("fieldSelector", &format!("involvedObject.uid={},type=Warning", uid.as_str()))
        .with("limit", "500")
        .on(&path);
    let call = Call { repeat: Repeat::IfRefused, ..Call::get(uri) };
    let events: Events = transport.send(&call).await?.success(Subject::default())?.json()?;
    let newest = events.items.unwrap_or_default().into_iter().max_by(|one, other| time(one).cmp(time(other)));
    Ok(newest.and_then(|event| {
        let message = event.str_at(&["message"])?;
        Some(match event.str_at(&["reason"]) {
            Some(reason) => format!("{reason}: {message}"),
            None => message.to_owned(),
        })
    }))
}

/// Returns when an event was last seen, as text that sorts. Series write it in one field, single events in another.
fn time(event: &Value) -> &str {
    let fields: [&[&str]; 4] = [
        &["series", "lastObservedTime"],
        &["lastTimestamp"],
        &["eventTime"],
        &["metadata", "creationTimestamp"],
    ];
    fields.iter().find_map(|field| event.str_at(field)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
