//! Waits until objects are current or gone, by watching, never by polling.
//!
//! One watch per cluster and kind serves all waiters of a run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine_core::object::Object;
use engine_core::object_ref::{ClusterRef, GroupKind, Uid};
use engine_core::ports::{ClusterProvider, ListQuery, ProviderError, Target, WatchEvent};
use engine_core::status::Status;
use engine_core::value::Text;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Waited {
    /// As wished.
    Reached,
    /// Not as wished; says why.
    Failed(String),
    /// The run was interrupted; says what was still missing.
    Interrupted(String),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// The object has converged.
    Current,
    /// The object with this uid no longer exists.
    Gone,
}

/// One wait.
pub(crate) struct Wait<'a> {
    pub(crate) cluster: &'a ClusterRef,
    pub(crate) provider: &'a Arc<dyn ClusterProvider>,
    pub(crate) target: &'a Target,
    pub(crate) uid: &'a Uid,
    pub(crate) until: Until,
    pub(crate) timeout: Duration,
    /// Called with what is missing, each time that changes.
    pub(crate) report: &'a (dyn Fn(&str) + Send + Sync),
}

/// Namespace and name.
type Name = (Option<Text>, Text);

/// What a watch has seen of one kind.
#[derive(Default)]
struct Seen {
    objects: Mutex<HashMap<Name, Arc<Sight>>>,
    synced: AtomicBool,
}

/// What a watch has seen of one object. Each has a bell of its own: with one for all, every event would wake
/// every wait.
#[derive(Default)]
struct Sight {
    last: Mutex<Last>,
    changed: Notify,
}

/// The last that was seen of an object.
#[derive(Default, Clone)]
enum Last {
    /// Nothing yet.
    #[default]
    Unseen,
    /// It is there.
    There(Object),
    /// It is gone.
    Gone,
}

/// Why a wait goes on.
enum Open {
    /// Something is missing; says what, if it is known.
    Missing(Option<String>),
    /// The server was asked and did not answer; says why. No event need follow, so it is asked again.
    Unanswered(String),
}

impl Seen {
    fn of(&self, name: Name) -> Arc<Sight> {
        lock(&self.objects).entry(name).or_default().clone()
    }

    /// Notes an event and wakes those that it may concern.
    fn note(&self, event: WatchEvent) {
        let name = |object: &Object| (object.namespace().map(Text::from), Text::from(object.name()));
        let (name, last) = match event {
            WatchEvent::Applied(object) => (name(&object), Last::There(object)),
            WatchEvent::Deleted(object) => (name(&object), Last::Gone),
            WatchEvent::Synced => {
                self.synced.store(true, Ordering::Release);
                return self.wake();
            }
        };
        let sight = self.of(name);
        *lock(&sight.last) = last;
        sight.changed.notify_waiters();
    }

    /// Wakes all.
    fn wake(&self) {
        lock(&self.objects).values().for_each(|sight| sight.changed.notify_waiters());
    }
}

/// What one watch has seen, and the task that keeps watching.
type Watched = (Arc<Seen>, JoinHandle<()>);

/// All watches of a run. They end when it is dropped.
pub(crate) struct Watches {
    labels: String,
    seen: Mutex<HashMap<(ClusterRef, GroupKind), Watched>>,
    interrupted: tokio::sync::watch::Receiver<bool>,
}

impl Drop for Watches {
    fn drop(&mut self) {
        let seen = self.seen.get_mut().unwrap_or_else(PoisonError::into_inner);
        seen.values().for_each(|(_, task)| task.abort());
    }
}

impl Watches {
    pub(crate) fn new(labels: String, interrupted: tokio::sync::watch::Receiver<bool>) -> Self {
        Self { labels, seen: Mutex::default(), interrupted }
    }

    /// Waits. `known` is the object as the write returned it: often that is already enough.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and nothing else.
    pub(crate) async fn wait(&self, wait: &Wait<'_>, known: Option<&Object>) -> Waited {
        if let Some(end) = known.and_then(|object| judge(wait, Some(object))) {
            return end;
        }
        let mut missing = known.and_then(|object| missing(wait, object));
        if let Some(missing) = &missing {
            (wait.report)(missing);
        }
        let seen = self.watch(wait);
        let sight = seen.of((wait.target.namespace.clone(), wait.target.name.clone()));
        let mut interrupted = self.interrupted.clone();
        let deadline = tokio::time::sleep(wait.timeout);
        tokio::pin!(deadline);
        loop {
            // Registered before the look, so that no change falls between the two.
            let changed = sight.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (now, ask_again) = match self.look(wait, &sight, &seen.synced).await {
                Ok(end) => return end,
                Err(Open::Missing(now)) => (now, false),
                Err(Open::Unanswered(why)) => (Some(why), true),
            };
            if let Some(now) = now.filter(|now| missing.as_ref() != Some(now)) {
                (wait.report)(&now);
                missing = Some(now);
            }
            let last = || missing.clone().unwrap_or_else(|| "nothing was heard of it".into());
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(RECONNECT), if ask_again => {}
                () = &mut deadline => {
                    return Waited::Failed(format!("not done after {}: {}", seconds(wait.timeout), last()));
                }
                _ = interrupted.wait_for(|interrupted| *interrupted) => return Waited::Interrupted(last()),
            }
        }
    }

    /// Looks at what was seen: the end of the wait, or what is still missing.
    async fn look(&self, wait: &Wait<'_>, sight: &Sight, synced: &AtomicBool) -> Result<Waited, Open> {
        let synced = synced.load(Ordering::Acquire);
        let last = lock(&sight.last).clone();
        match last {
            Last::There(object) => {
                judge(wait, Some(&object)).ok_or_else(|| Open::Missing(missing(wait, &object)))
            }
            // Absent from the watch is only absent if the server says so too: its label may have been removed.
            Last::Gone => self.confirm(wait).await,
            Last::Unseen if synced => self.confirm(wait).await,
            Last::Unseen => Err(Open::Missing(None)),
        }
    }

    async fn confirm(&self, wait: &Wait<'_>) -> Result<Waited, Open> {
        match wait.provider.get(wait.target).await {
            Ok(object) => {
                let missing = object.as_ref().and_then(|object| missing(wait, object));
                judge(wait, object.as_ref()).ok_or(Open::Missing(missing))
            }
            Err(error) => Err(Open::Unanswered(error.to_string())),
        }
    }

    fn watch(&self, wait: &Wait<'_>) -> Arc<Seen> {
        let mut all = lock(&self.seen);
        let key = (wait.cluster.clone(), wait.target.kind.kind.clone());
        let (seen, _) = all.entry(key).or_insert_with(|| {
            let seen = Arc::new(Seen::default());
            let query = ListQuery {
                kind: wait.target.kind.clone(),
                namespace: None,
                labels: Some(self.labels.clone()),
            };
            let task = tokio::spawn(keep_watching(
                wait.provider.clone(),
                query,
                wait.target.namespace.clone(),
                seen.clone(),
            ));
            (seen, task)
        });
        seen.clone()
    }
}

/// Decides whether an object (or its absence) ends a wait.
fn judge(wait: &Wait<'_>, object: Option<&Object>) -> Option<Waited> {
    let object = object.filter(|object| object.uid() == *wait.uid);
    match (wait.until, object) {
        (Until::Gone, None) => Some(Waited::Reached),
        (Until::Gone, Some(_)) => None,
        (Until::Current, None) => Some(Waited::Failed("it was deleted or replaced by somebody else".into())),
        (Until::Current, Some(object)) => match wait.provider.status(object) {
            None | Some(Status::Current) => Some(Waited::Reached),
            Some(Status::Failed(why)) => Some(Waited::Failed(why)),
            Some(Status::InProgress(_) | Status::Terminating(_)) => None,
        },
    }
}

/// Watches until the run ends. A broken connection is made again; without the right to watch everywhere, the
/// namespace is watched.
async fn keep_watching(
    provider: Arc<dyn ClusterProvider>,
    mut query: ListQuery,
    namespace: Option<Text>,
    seen: Arc<Seen>,
) {
    loop {
        let mut sink = |event| {
            seen.note(event);
            true
        };
        let outcome = provider.watch(&query, &mut sink).await;
        match outcome {
            Err(ProviderError::Forbidden(_)) if query.namespace.is_none() && namespace.is_some() => {
                query.namespace.clone_from(&namespace);
                continue;
            }
            Err(error) => tracing::debug!(%error, kind = %query.kind.kind, "watch ended"),
            Ok(()) => {}
        }
        seen.wake();
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Between two watches: long enough not to press a server that refuses, short enough not to be felt.
const RECONNECT: Duration = Duration::from_millis(500);

/// Says what an object still lacks. While it is to go, only what holds it matters.
fn missing(wait: &Wait<'_>, object: &Object) -> Option<String> {
    match (wait.until, wait.provider.status(object)) {
        (Until::Gone, Some(Status::Terminating(held))) => Some(held),
        (Until::Gone, _) => Some("being deleted".into()),
        (Until::Current, status) => status.map(|status| status.message().to_owned()),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

/// A panic while the lock was held cannot leave a map half-changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
