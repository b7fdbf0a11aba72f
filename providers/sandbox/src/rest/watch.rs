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

use crate::cluster::{Cluster, Shared};
use crate::convert;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::request::Params;
use crate::resource::Resource;
use crate::respond::{Heading, View};
use crate::selector::Selector;
use crate::store::{Change, ChangeKind};

/// How often a watch that allows bookmarks gets one.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);

/// How long a watch lasts that states no timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// What a client asked to watch.
#[derive(Debug)]
pub(crate) struct WatchOptions {
    resource: Arc<Resource>,
    target: GroupResource,
    namespace: String,
    selector: Selector,
    /// Changes after this version; `None` starts with every object as added.
    since: Option<u64>,
    bookmarks: bool,
    /// Whether the end of the objects that were there is marked.
    marks_initial: bool,
    timeout: Duration,
    /// How each object is shown.
    view: View,
}

impl WatchOptions {
    /// Reads the options of a request.
    ///
    /// # Errors
    /// If a selector or a number cannot be read.
    pub fn of(resource: &Arc<Resource>, namespace: &str, query: &Params, view: View) -> ApiResult<Self> {
        let seconds = query.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
        let marks_initial = query.flag("sendInitialEvents");
        Ok(Self {
            resource: Arc::clone(resource),
            target: resource.group_resource(),
            namespace: namespace.to_owned(),
            selector: Selector::parse(query.get("labelSelector"), query.get("fieldSelector"))?,
            since: query.number("resourceVersion")?.filter(|version| *version > 0 && !marks_initial),
            bookmarks: query.flag("allowWatchBookmarks"),
            marks_initial,
            timeout: seconds.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.min(24 * 3600))),
            view,
        })
    }
}

impl WatchOptions {
    /// Narrows the watch to the object of one name.
    pub fn only(&mut self, name: &str) {
        self.selector = self.selector.clone().named(name);
    }
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
        if options.since.is_none() {
            ready = initial(&cluster, &options);
        }
        (cluster.store.subscribe(), options.since.unwrap_or(current))
    };
    let now = Instant::now();
    let watch = Watch {
        deadline: now + options.timeout,
        bookmark_at: now + BOOKMARK_PERIOD,
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
    if options.marks_initial && options.bookmarks {
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
            let why = format!("too old resource version: {} ({})", self.cursor, cluster.store.version());
            let status = ApiError::Expired(why).to_status();
            self.ready.push_back(json!({ "type": "ERROR", "object": status }));
            self.is_over = true;
            return;
        };
        self.ready.extend(changes.filter_map(|change| seen(&self.options, change)));
        self.cursor = self.cursor.max(cluster.store.version());
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
