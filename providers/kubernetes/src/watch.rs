//! Watches: what exists, then what changes.

use std::io;
use std::pin::pin;
use std::time::Duration;

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

/// Watches objects of a kind: first those that exist, then [`WatchEvent::Synced`], then changes.
///
/// Ends without error when the sink breaks, the server ends the watch, or the version to go on from is too
/// old (410).
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
    let Some(resource_version) = deliver_existing(transport, query, sink).await? else {
        return Ok(());
    };
    let path = path::collection(&query.kind, query.namespace.as_deref())?;
    let uri = Query::default()
        .with("watch", "1")
        .with("allowWatchBookmarks", "true")
        .with("resourceVersion", &resource_version)
        .with("timeoutSeconds", SERVER_TIMEOUT)
        .with_some("labelSelector", query.labels.as_deref())
        .on(&path);
    let subject = list::subject(&query.kind);
    match transport.open(&Call::get(uri), subject).await? {
        Some(stream) => deliver_changes(stream, subject, sink).await,
        None => Ok(()),
    }
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
    subject: Subject,
    sink: WatchSink<'_>,
) -> Result<(), ProviderError> {
    let mut stream = pin!(stream);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match tokio::time::timeout(IDLE, stream.read_until(b'\n', &mut buffer)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0)) | Err(_) => return Ok(()),
            Ok(Err(error)) => return end(&error),
        }
        let Ok(line) = serde_json::from_slice::<Line>(&buffer) else {
            // The connection ended in the middle of a line.
            return Ok(());
        };
        let event = match line.kind.as_str() {
            "ADDED" | "MODIFIED" => WatchEvent::Applied(Object::new(line.object)),
            "DELETED" => WatchEvent::Deleted(Object::new(line.object)),
            "ERROR" => return refused(&line.object, subject),
            // Bookmarks, and what later versions may add.
            _ => continue,
        };
        if !sink(event) {
            return Ok(());
        }
    }
}

/// A connection that breaks is an end like any other; what was missed is listed by the next watch.
fn end(error: &io::Error) -> Result<(), ProviderError> {
    tracing::debug!(target: "terrane::http", %error, "watch ended");
    Ok(())
}

fn refused(status: &Value, subject: Subject) -> Result<(), ProviderError> {
    let status: Status = serde_json::from_str(&status.to_string()).unwrap_or_default();
    let refusal = Refusal::from_status(status);
    match refusal.code() {
        410 => Ok(()),
        _ => Err(refusal.error(subject)),
    }
}
