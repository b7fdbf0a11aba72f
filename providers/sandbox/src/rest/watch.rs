//! Streams changes of a resource.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::number_in;
use crate::cluster::{Cluster, Shared};
use crate::convert;
use crate::error::{ApiError, ApiResult, FieldError, GroupResource};
use crate::meta;
use crate::request::Params;
use crate::resource::Resource;
use crate::respond::{Heading, View};
use crate::selector::Selector;
use crate::store::{Change, ChangeKind};

/// How often a watch that allows bookmarks gets one.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);

/// How long before the end of a watch its last bookmark is sent.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// How long a watch lasts that states no timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// What a client asked to watch.
#[derive(Debug)]
pub(crate) struct WatchOptions {
    resource: Arc<Resource>,
    target: GroupResource,
    namespace: String,
    selector: Selector,
    start: Start,
    bookmarks: bool,
    timeout: Duration,
    /// How each object is shown.
    view: View,
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// With every object as added.
    Objects,
    /// With the changes after a version.
    After(u64),
    /// With the next change.
    Now,
}

impl WatchOptions {
    /// Reads the options of a request.
    ///
    /// # Errors
    /// If a selector or a number cannot be read, or options contradict each other.
    pub fn of(resource: &Arc<Resource>, namespace: &str, query: &Params, view: View) -> ApiResult<Self> {
        let seconds = query.integer("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
        let selector = Selector::of(resource, query)?;
        check_options(query)?;
        let since = number_in(query.get("resourceVersion")).map_err(ApiError::Bare)?;
        // A watch without a version gets the objects that are there first, unless it wants none of them.
        let sends_initial = match query.get("sendInitialEvents") {
            "" => since.is_none_or(|version| version == 0),
            _ => query.flag("sendInitialEvents"),
        };
        Ok(Self {
            resource: Arc::clone(resource),
            target: resource.group_resource(),
            namespace: namespace.to_owned(),
            selector,
            start: match since {
                _ if sends_initial => Start::Objects,
                Some(version) if version > 0 => Start::After(version),
                _ => Start::Now,
            },
            bookmarks: query.flag("allowWatchBookmarks"),
            timeout: seconds.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.min(24 * 3600))),
            view,
        })
    }
}

// Options of a watch that contradict each other.
fn check_options(query: &Params) -> ApiResult<()> {
    let (at, matching) = ("resourceVersionMatch", query.get("resourceVersionMatch"));
    let sends_initial = !query.get("sendInitialEvents").is_empty();
    let mut errors = Vec::new();
    if sends_initial && matching != "NotOlderThan" {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        errors.push(FieldError::forbidden(at, why));
    }
    if !matching.is_empty() {
        if !sends_initial {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            errors.push(FieldError::forbidden(at, why));
        }
        if matching != "NotOlderThan" {
            errors.push(FieldError::unsupported(at, &json!(matching), &["NotOlderThan".to_owned()]));
        }
        if !query.get("continue").is_empty() {
            let why = "resourceVersionMatch is forbidden when continue is provided";
            errors.push(FieldError::forbidden(at, why));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid_options("ListOptions", errors)) }
}

struct Watch {
    options: WatchOptions,
    shared: Shared,
    changed: Receiver<u64>,
    cursor: u64,
    ready: VecDeque<Value>,
    /// Whether an event was sent: only the first one of a table tells its columns.
    has_begun: bool,
    is_over: bool,
    deadline: Instant,
    bookmark_at: Instant,
}

/// Starts a watch. Dropping the stream ends it.
pub(crate) fn watch(
    shared: &Shared,
    options: WatchOptions,
) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let mut ready = VecDeque::new();
    let (changed, cursor) = {
        let cluster = shared.lock();
        let current = cluster.store.version();
        if options.start == Start::Objects {
            ready = initial(&cluster, &options);
        }
        let cursor = if let Start::After(version) = options.start { version } else { current };
        (cluster.store.subscribe(), cursor)
    };
    let now = Instant::now();
    let deadline = now + options.timeout;
    // The last bookmark comes in time for the next watch to start from it.
    let last_bookmark = deadline.checked_sub(LAST_BOOKMARK).filter(|time| *time > now);
    let watch = Watch {
        deadline,
        bookmark_at: last_bookmark.map_or(now + BOOKMARK_PERIOD, |time| time.min(now + BOOKMARK_PERIOD)),
        shared: shared.clone(),
        options,
        changed,
        cursor,
        ready,
        has_begun: false,
        is_over: false,
    };
    stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok(line), watch))
    })
    .boxed()
}

fn initial(cluster: &Cluster, options: &WatchOptions) -> VecDeque<Value> {
    let objects = cluster.store.list(&options.target, &options.namespace);
    let selected = objects.filter(|object| options.selector.matches(object));
    let mut lines: VecDeque<_> = selected.map(|object| event(options, "ADDED", object)).collect();
    if options.bookmarks {
        let annotations = json!({ "k8s.io/initial-events-end": "true" });
        lines.push_back(bookmark(options, cluster.store.version(), Some(annotations)));
    }
    lines
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(self.line(event));
            }
            if self.is_over {
                return None;
            }
            self.changed.mark_unchanged();
            self.collect();
            if !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                changed = self.changed.changed() => self.is_over |= changed.is_err(),
                () = sleep_until(self.deadline) => self.is_over = true,
                () = sleep_until(self.bookmark_at), if self.options.bookmarks => {
                    self.bookmark_at = Instant::now() + BOOKMARK_PERIOD;
                    self.ready.push_back(bookmark(&self.options, self.cursor, None));
                }
            }
        }
    }

    fn collect(&mut self) {
        let cluster = self.shared.lock();
        let Some(changes) = cluster.store.changes_after(self.cursor) else {
            let status = ApiError::Expired(self.too_old(cluster.store.forgotten())).to_status();
            self.ready.push_back(json!({ "type": "ERROR", "object": status }));
            self.is_over = true;
            return;
        };
        self.ready.extend(changes.filter_map(|change| seen(&self.options, change)));
        self.cursor = self.cursor.max(cluster.store.version());
    }

    // Events are watched in etcd, all else in a cache; each has its words.
    fn too_old(&self, forgotten: u64) -> String {
        if self.options.target.resource == "events" {
            return "The resourceVersion for the provided watch is too old.".into();
        }
        format!("too old resource version: {} ({forgotten})", self.cursor)
    }

    fn line(&mut self, mut event: Value) -> Bytes {
        if event["type"] == "BOOKMARK" || event["type"] == "ERROR" {
            return Bytes::from(format!("{event}\n"));
        }
        let heading = if self.has_begun { Heading::Sent } else { Heading::Wanted };
        self.has_begun = true;
        event["object"] = self.options.view.show(&self.options.resource, &event["object"], heading);
        Bytes::from(format!("{event}\n"))
    }
}

// An object that enters the selection is added to it; one that leaves is deleted from it.
fn seen(options: &WatchOptions, change: &Change) -> Option<Value> {
    let elsewhere = !options.namespace.is_empty() && options.namespace != change.key.namespace;
    if change.key.resource != options.target || elsewhere {
        return None;
    }
    let was = change.before.as_deref().is_some_and(|before| options.selector.matches(before));
    let is = change.kind != ChangeKind::Deleted && options.selector.matches(&change.object);
    match (was, is) {
        (false, false) => None,
        (false, true) => Some(event(options, "ADDED", &change.object)),
        (true, true) => Some(event(options, "MODIFIED", &change.object)),
        (true, false) if change.kind == ChangeKind::Deleted => {
            Some(event(options, "DELETED", &change.object))
        }
        (true, false) => {
            let mut last = Value::clone(change.before.as_deref()?);
            meta::set(&mut last, "resourceVersion", json!(change.version.to_string()));
            Some(event(options, "DELETED", &Arc::new(last)))
        }
    }
}

fn event(options: &WatchOptions, kind: &str, object: &Arc<Value>) -> Value {
    let object = convert::to_version(&options.resource, object);
    json!({ "type": kind, "object": *object })
}

fn bookmark(options: &WatchOptions, version: u64, annotations: Option<Value>) -> Value {
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if let Some(annotations) = annotations {
        metadata["annotations"] = annotations;
    }
    let object = json!({
        "kind": options.resource.kind, "apiVersion": options.resource.api_version, "metadata": metadata,
    });
    json!({ "type": "BOOKMARK", "object": object })
}
