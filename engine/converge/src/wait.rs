//! Waits until objects are current or gone, by watching, never by polling.
//!
//! One watch per cluster and kind serves all waiters of a run; without the right to it, one per namespace. A wait that
//! lasts looks for its cause.

mod causes;
mod pods;
mod seen;
#[cfg(test)]
mod tests;
mod told;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine_core::kind_info::Scope;
use engine_core::object::Object;
use engine_core::object_ref::{ClusterRef, GroupKind, Uid};
use engine_core::ports::{ClusterProvider, ListQuery, Target};
use engine_core::status::Status;
use engine_core::value::{Text, Value};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::causes::{Causes, Pace};
use self::seen::{Last, RECONNECT, Seen, Sight, keep_watching};
use self::told::{Told, join};

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
    /// Returns text of the cluster without what is secret.
    pub(crate) redact: &'a (dyn Fn(&str) -> String + Send + Sync),
    /// Tells whether this environment makes the `ConfigMap` or `Secret` of this kind and name, beside the object, without
    /// this key.
    pub(crate) lacks_key: &'a (dyn Fn(&str, &str, &str) -> bool + Send + Sync),
}

/// Why a wait goes on.
enum Open {
    /// Something is missing; says what, if it is known.
    Missing(Option<String>),
    /// The server was asked and did not answer; says why. No event need follow, so it is asked again.
    Unanswered(String),
}

/// A cluster, a kind, and the namespace that is watched where not all may be.
type Place = (ClusterRef, GroupKind, Option<Text>);

/// What one watch has seen, and the task that keeps watching.
type Watched = (Arc<Seen>, JoinHandle<()>);

/// Where a wait begins.
struct Begin<'a> {
    /// The object as the write returned it.
    known: &'a Object,
    /// From when on a failure is believed that this object showed already. What was there before the write may still
    /// show what the write is to mend.
    believed: Instant,
}

impl<'a> Begin<'a> {
    fn new(wait: &Wait<'_>, known: &'a Object, patience: Duration) -> Self {
        let is_new = known.body().at(&["metadata", "generation"]).and_then(Value::as_i64) == Some(1);
        let fails = matches!(judge(wait, Some(known)), Some(Waited::Failed(_)));
        let grace = if fails && !is_new { patience } else { Duration::ZERO };
        Self { known, believed: Instant::now() + grace }
    }

    /// Judges an object that is there.
    fn judge(&self, wait: &Wait<'_>, object: &Object) -> Result<Waited, Open> {
        if is_older(object.resource_version(), self.known.resource_version()) {
            return Err(Open::Missing(None));
        }
        let is_known = object.resource_version() == self.known.resource_version();
        match judge(wait, Some(object)) {
            Some(Waited::Failed(why)) if is_known && Instant::now() < self.believed => {
                Err(Open::Missing(Some(why)))
            }
            Some(end) => Ok(end),
            None => Err(Open::Missing(missing(wait, object))),
        }
    }
}

/// Tells whether a version of an object is from before another one: a watch that serves many waits may have seen it
/// before the write that this wait is for.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>: decimal numbers that grow.
fn is_older(version: &str, known: &str) -> bool {
    matches!((version.parse::<u128>(), known.parse::<u128>()), (Ok(one), Ok(other)) if one < other)
}

/// All watches of a run. They end when it is dropped.
pub(crate) struct Watches {
    labels: String,
    /// How long a wait lasts before anybody asks why.
    patience: Duration,
    seen: Mutex<HashMap<Place, Watched>>,
    causes: Causes,
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
        Self::paced(labels, interrupted, Pace::default())
    }

    fn paced(labels: String, interrupted: tokio::sync::watch::Receiver<bool>, pace: Pace) -> Self {
        let (patience, causes) = (pace.patience, Causes::new(pace));
        Self { labels, patience, seen: Mutex::default(), causes, interrupted }
    }

    /// Waits. `known` is the object as the write returned it: often that is already enough.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and nothing else.
    pub(crate) async fn wait(&self, wait: &Wait<'_>, known: &Object) -> Waited {
        let told = Told::new(wait.report);
        let begin = Begin::new(wait, known, self.patience);
        let end = match begin.judge(wait, known) {
            Ok(end) => end,
            Err(_) => tokio::select! {
                end = self.follow(wait, &begin, &told) => end,
                end = self.causes.follow(wait, known, &told) => end,
            },
        };
        let Waited::Failed(why) = end else {
            return end;
        };
        if !told.is_searched() && why != LOST {
            self.causes.look(wait, known, &told).await;
        }
        Waited::Failed(match told.known_cause() {
            Some(cause) => join(&why, &cause),
            None => why,
        })
    }

    /// Follows the object until it is as wished, or cannot be any more.
    async fn follow(&self, wait: &Wait<'_>, begin: &Begin<'_>, told: &Told<'_>) -> Waited {
        told.missing(missing(wait, begin.known));
        let name = (wait.target.namespace.clone(), wait.target.name.clone());
        let mut interrupted = self.interrupted.clone();
        let deadline = tokio::time::sleep(wait.timeout);
        tokio::pin!(deadline);
        // From one look to the next: what nobody holds is not kept.
        let mut _held = None;
        loop {
            let seen = self.seen(wait);
            let sight = seen.of(name.clone());
            _held = Some(sight.clone());
            // Registered before the look, so that no change falls between the two.
            let changed = sight.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if seen.is_denied() {
                continue;
            }
            let (now, ask_again) = match self.look(wait, begin, (&sight, &seen)).await {
                Ok(end) => return end,
                Err(Open::Missing(now)) => (now, false),
                Err(Open::Unanswered(why)) => (Some(why), true),
            };
            told.missing(now);
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(RECONNECT), if ask_again => {}
                () = tokio::time::sleep_until(begin.believed), if Instant::now() < begin.believed => {}
                () = &mut deadline => {
                    return Waited::Failed(format!("not done after {}: {}", seconds(wait.timeout), told.last()));
                }
                _ = interrupted.wait_for(|interrupted| *interrupted) => return Waited::Interrupted(told.whole()),
            }
        }
    }

    /// Looks at what was seen: the end of the wait, or what is still missing.
    async fn look(
        &self,
        wait: &Wait<'_>,
        begin: &Begin<'_>,
        (sight, seen): (&Sight, &Seen),
    ) -> Result<Waited, Open> {
        let synced = seen.is_synced();
        let known = begin.known.resource_version();
        match sight.last() {
            Last::There(object) => return begin.judge(wait, &object),
            Last::Passed(version) if version == known => return begin.judge(wait, begin.known),
            Last::Passed(version) if is_older(&version, known) => return Err(Open::Missing(None)),
            Last::Unseen if !synced => return Err(Open::Missing(None)),
            // Absent from the watch is only absent if the server says so too: its label may have been removed.
            // And what passed before anybody waited for it has to be looked at.
            Last::Passed(_) | Last::Gone | Last::Unseen => {}
        }
        match wait.provider.get(wait.target).await {
            Ok(Some(object)) => begin.judge(wait, &object),
            Ok(None) => judge(wait, None).ok_or(Open::Missing(None)),
            Err(error) => Err(Open::Unanswered(error.to_string())),
        }
    }

    /// Returns what is seen of a kind: everywhere, or in the namespace if that is all that may be watched.
    fn seen(&self, wait: &Wait<'_>) -> Arc<Seen> {
        let everywhere = self.watch(wait, None);
        match &wait.target.namespace {
            Some(namespace) if everywhere.is_denied() => self.watch(wait, Some(namespace.clone())),
            _ => everywhere,
        }
    }

    /// Returns what the watch of a kind has seen, everywhere or in one namespace, and begins it if it is new.
    fn watch(&self, wait: &Wait<'_>, namespace: Option<Text>) -> Arc<Seen> {
        let mut all = lock(&self.seen);
        let key = (wait.cluster.clone(), wait.target.kind.kind.clone(), namespace.clone());
        let (seen, _) = all.entry(key).or_insert_with(|| {
            let seen = Arc::new(match (&namespace, wait.target.kind.scope) {
                (None, Scope::Namespaced) => Seen::default(),
                _ => Seen::narrow(),
            });
            let kind = wait.target.kind.clone();
            let query = ListQuery { kind, namespace, labels: Some(self.labels.clone()) };
            let task = tokio::spawn(keep_watching(wait.provider.clone(), query, seen.clone()));
            (seen, task)
        });
        seen.clone()
    }
}

/// Why a wait for an object fails that is no longer the one.
const LOST: &str = "it was deleted or replaced by somebody else";

/// Decides whether an object (or its absence) ends a wait.
fn judge(wait: &Wait<'_>, object: Option<&Object>) -> Option<Waited> {
    let object = object.filter(|object| object.uid() == *wait.uid);
    match (wait.until, object) {
        (Until::Gone, None) => Some(Waited::Reached),
        (Until::Gone, Some(_)) => None,
        (Until::Current, None) => Some(Waited::Failed(LOST.into())),
        (Until::Current, Some(object)) => match wait.provider.status(object) {
            None | Some(Status::Current) => Some(Waited::Reached),
            Some(Status::Failed(why)) => Some(Waited::Failed(why)),
            Some(Status::InProgress(_) | Status::Terminating(_)) => None,
        },
    }
}

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
