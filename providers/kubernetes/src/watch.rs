//! Watches: what exists, then what changes.

use std::pin::pin;
use std::time::{Duration, Instant};

use engine_core::object::Object;
use engine_core::ports::{ListQuery, ProviderError, WatchEvent, WatchSink};
use engine_core::value::Value;
use futures::{AsyncBufRead, AsyncBufReadExt};
use kube::core::Status;
use serde::Deserialize;

use crate::failure::{Refusal, Subject};
use crate::list::{self, Fetched};
use crate::path::{self, Query};
use crate::transport::{Call, Transport};

/// After this long the server ends the watch, so that no connection grows old.
const SERVER_TIMEOUT: &str = "290";
/// After this long without a word the connection is taken for dead. Bookmarks come about once a minute.
pub(crate) const IDLE: Duration = Duration::from_secs(120);

/// One line of a watch.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// Between two connections of one watch, where the server closes them at once.
const RECONNECT: Duration = Duration::from_millis(500);

/// Watches objects of a kind: first those that exist, then [`WatchEvent::Synced`], then changes.
///
/// A connection that ends, as each does after a while, is made again from the last version that was seen: nothing is
/// listed twice and nothing is missed. The whole ends without error when the sink breaks, the server has no room, or
/// the version to go on from is too old (410).
///
/// # Errors
/// The server refuses, or does not answer.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>
pub(crate) async fn watch(
    transport: &Transport,
    query: &ListQuery,
    sink: WatchSink<'_>,
) -> Result<(), ProviderError> {
    let Some(mut version) = deliver_existing(transport, query, sink).await? else {
        return Ok(());
    };
    let path = path::collection(&query.kind, query.namespace.as_deref())?;
    let subject = list::subject(&query.kind);
    loop {
        let uri = Query::default()
            .with("watch", "1")
            .with("allowWatchBookmarks", "true")
            .with("resourceVersion", &version)
            .with("timeoutSeconds", SERVER_TIMEOUT)
            .with_some("labelSelector", query.labels.as_deref())
            .on(&path);
        let begun = Instant::now();
        let Some(stream) = transport.open(&Call::get(uri), subject).await? else {
            return Ok(());
        };
        if deliver_changes(stream, (subject, &mut version), sink).await? == End::Over {
            return Ok(());
        }
        tokio::time::sleep(RECONNECT.saturating_sub(begun.elapsed())).await;
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It may go on where it was.
    Broken,
    /// Nothing more is to be heard.
    Over,
}

/// Lists what exists. Returns the version to watch from, `None` when the watch is over already.
async fn deliver_existing(
    transport: &Transport,
    query: &ListQuery,
    sink: WatchSink<'_>,
) -> Result<Option<String>, ProviderError> {
    let mut next = None;
    loop {
        let Fetched::Page(page) = list::fetch(transport, query, next.as_deref()).await? else {
            return Ok(None);
        };
        for object in page.objects {
            if !sink(WatchEvent::Applied(object)) {
                return Ok(None);
            }
        }
        if page.next.is_none() {
            return Ok(sink(WatchEvent::Synced).then_some(page.resource_version));
        }
        next = page.next;
    }
}

async fn deliver_changes(
    stream: impl AsyncBufRead,
    (subject, version): (Subject, &mut String),
    sink: WatchSink<'_>,
) -> Result<End, ProviderError> {
    let mut stream = pin!(stream);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match tokio::time::timeout(IDLE, stream.read_until(b'\n', &mut buffer)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0)) | Err(_) => return Ok(End::Broken),
            Ok(Err(error)) => {
                tracing::debug!(target: "terrane::http", %error, "watch broken");
                return Ok(End::Broken);
            }
        }
        let Ok(line) = serde_json::from_slice::<Line>(&buffer) else {
            // The connection ended in the middle of a line.
            return Ok(End::Broken);
        };
        if line.kind == "ERROR" {
            return refused(&line.object, subject);
        }
        // A bookmark is nothing but the version that everything before it belongs to.
        let seen = line.object.str_at(&["metadata", "resourceVersion"]).map(str::to_owned);
        let event = match line.kind.as_str() {
            "ADDED" | "MODIFIED" => Some(WatchEvent::Applied(Object::new(line.object))),
            "DELETED" => Some(WatchEvent::Deleted(Object::new(line.object))),
            // What later versions may add.
            _ => None,
        };
        if event.is_some_and(|event| !sink(event)) {
            return Ok(End::Over);
        }
        if let Some(seen) = seen {
            *version = seen;
        }
    }
}

fn refused(status: &Value, subject: Subject) -> Result<End, ProviderError> {
    let status: Status = serde_json::from_str(&status.to_string()).unwrap_or_default();
    let refusal = Refusal::from_status(status);
    match refusal.code() {
        410 => Ok(End::Over),
        _ => Err(refusal.error(subject)),
    }
}

#[cfg(test)]
mod tests;
