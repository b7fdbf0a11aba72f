//! What the watches of a run have seen of the objects that are waited for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine_core::object::Object;
use engine_core::ports::{ClusterProvider, ListQuery, ProviderError, WatchEvent};
use engine_core::value::Text;
use tokio::sync::Notify;

use super::lock;

/// Between two watches at least: not felt.
pub(super) const RECONNECT: Duration = Duration::from_millis(500);
/// Between two watches at most, of a server that goes on refusing.
const LONGEST_RECONNECT: Duration = Duration::from_secs(15);

/// Namespace and name.
pub(super) type Name = (Option<Text>, Text);

/// Hears what a watch says. Each connection begins with everything that exists.
pub(super) trait Hear: Send + Sync {
    /// A connection is made.
    fn begin(&self);
    /// Something is heard.
    fn hear(&self, event: WatchEvent);
    /// A connection ended. `Some` is a refusal: whether to try again.
    fn end(&self, refused: Option<&ProviderError>) -> bool;
}

/// Watches until there is no point in it, or the task is aborted.
pub(super) async fn keep_watching(provider: Arc<dyn ClusterProvider>, query: ListQuery, ear: Arc<dyn Hear>) {
    let mut delay = RECONNECT;
    loop {
        ear.begin();
        let mut sink = |event| {
            ear.hear(event);
            true
        };
        let outcome = provider.watch(&query, &mut sink).await;
        if !ear.end(outcome.as_ref().err()) {
            return;
        }
        match outcome {
            Ok(()) => delay = RECONNECT,
            Err(error) => tracing::debug!(%error, kind = %query.kind.kind, "watch ended"),
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(LONGEST_RECONNECT);
    }
}

/// What a watch has seen of one kind.
#[derive(Default)]
pub(super) struct Seen {
    objects: Mutex<HashMap<Name, Arc<Sight>>>,
    /// The connection that is open, by number.
    connection: AtomicU64,
    synced: AtomicBool,
    /// The right to watch this everywhere is missing.
    denied: AtomicBool,
    /// Whether there is no smaller part to watch.
    narrow: bool,
}

/// What a watch has seen of one object. Each has a bell of its own: with one for all, every event would wake
/// every wait.
#[derive(Default)]
pub(super) struct Sight {
    last: Mutex<(Last, u64)>,
    pub(super) changed: Notify,
}

/// The last that was seen of an object.
#[derive(Default, Clone)]
pub(super) enum Last {
    /// Nothing yet.
    #[default]
    Unseen,
    /// It is there.
    There(Object),
    /// It is gone.
    Gone,
}

impl Sight {
    /// Returns the last that was seen.
    pub(super) fn last(&self) -> Last {
        lock(&self.last).0.clone()
    }
}

impl Seen {
    /// Sees what there is no smaller part of: one namespace, or a kind without namespaces.
    pub(super) fn narrow() -> Self {
        Self { narrow: true, ..Self::default() }
    }

    /// Returns the place of one object.
    pub(super) fn of(&self, name: Name) -> Arc<Sight> {
        lock(&self.objects).entry(name).or_default().clone()
    }

    /// Tells whether everything that exists has been seen once.
    pub(super) fn is_synced(&self) -> bool {
        self.synced.load(Ordering::Acquire)
    }

    /// Tells whether not all namespaces may be watched.
    pub(super) fn is_denied(&self) -> bool {
        self.denied.load(Ordering::Acquire)
    }

    /// What an earlier connection has seen and this one, which has begun with everything that exists, has not: it is
    /// gone.
    fn forget_lost(&self, connection: u64) {
        for sight in lock(&self.objects).values() {
            let mut last = lock(&sight.last);
            if matches!(*last, (Last::There(_), seen) if seen < connection) {
                *last = (Last::Gone, connection);
            }
        }
    }

    fn wake(&self) {
        lock(&self.objects).values().for_each(|sight| sight.changed.notify_waiters());
    }
}

impl Hear for Seen {
    fn begin(&self) {
        self.connection.fetch_add(1, Ordering::AcqRel);
    }

    fn hear(&self, event: WatchEvent) {
        let connection = self.connection.load(Ordering::Acquire);
        let name = |object: &Object| (object.namespace().map(Text::from), Text::from(object.name()));
        let (name, last) = match event {
            WatchEvent::Applied(object) => (name(&object), Last::There(object)),
            WatchEvent::Deleted(object) => (name(&object), Last::Gone),
            WatchEvent::Synced => {
                self.forget_lost(connection);
                self.synced.store(true, Ordering::Release);
                return self.wake();
            }
        };
        let sight = self.of(name);
        *lock(&sight.last) = (last, connection);
        sight.changed.notify_waiters();
    }

    fn end(&self, refused: Option<&ProviderError>) -> bool {
        let forbidden = matches!(refused, Some(ProviderError::Forbidden(_)));
        match (forbidden, self.narrow) {
            (false, _) => {}
            // What cannot be watched has to be asked for, as often as the watch is tried.
            (true, true) => self.synced.store(true, Ordering::Release),
            (true, false) => self.denied.store(true, Ordering::Release),
        }
        self.wake();
        self.narrow || !forbidden
    }
}
