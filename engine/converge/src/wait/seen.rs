//! What the watches of a run have seen of the objects that are waited for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
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

/// What a watch has seen of one kind. It sees all objects of the environment, and keeps whole only those that somebody
/// waits for.
#[derive(Default)]
pub(super) struct Seen {
    objects: Mutex<HashMap<Name, Place>>,
    /// The connection that is open, by number.
    connection: AtomicU64,
    synced: AtomicBool,
    /// The right to watch this everywhere is missing.
    denied: AtomicBool,
    /// Whether there is no smaller part to watch.
    narrow: bool,
}

/// What is kept of one object.
#[derive(Default)]
struct Place {
    /// Never the object itself.
    last: Last,
    /// The connection that saw it.
    connection: u64,
    /// Held by those who wait for it.
    sight: Weak<Sight>,
}

/// What a watch has seen of one object since somebody waits for it. Each has a bell of its own: with one for all, every
/// event would wake every wait.
pub(super) struct Sight {
    last: Mutex<Last>,
    pub(super) changed: Notify,
}

/// The last that was seen of an object.
#[derive(Default, Clone)]
pub(super) enum Last {
    /// Nothing yet.
    #[default]
    Unseen,
    /// It was there in this resource version when nobody waited for it.
    Passed(Text),
    /// It is there.
    There(Object),
    /// It is gone.
    Gone,
}

impl Sight {
    /// Returns the last that was seen.
    pub(super) fn last(&self) -> Last {
        lock(&self.last).clone()
    }

    fn set(&self, last: Last) {
        *lock(&self.last) = last;
        self.changed.notify_waiters();
    }
}

impl Seen {
    /// Sees what there is no smaller part of: one namespace, or a kind without namespaces.
    pub(super) fn narrow() -> Self {
        Self { narrow: true, ..Self::default() }
    }

    /// Returns the sight of one object, from here on, for as long as it is held.
    pub(super) fn of(&self, name: Name) -> Arc<Sight> {
        let mut objects = lock(&self.objects);
        let place = objects.entry(name).or_default();
        place.sight.upgrade().unwrap_or_else(|| {
            let sight = Arc::new(Sight { last: Mutex::new(place.last.clone()), changed: Notify::new() });
            place.sight = Arc::downgrade(&sight);
            sight
        })
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
        for place in lock(&self.objects).values_mut() {
            if matches!(place.last, Last::Passed(_)) && place.connection < connection {
                place.set(Last::Gone, connection);
            }
        }
    }

    fn wake(&self) {
        let objects = lock(&self.objects);
        objects.values().filter_map(|place| place.sight.upgrade()).for_each(|it| it.changed.notify_waiters());
    }
}

impl Place {
    fn set(&mut self, last: Last, connection: u64) {
        self.connection = connection;
        self.last = match &last {
            Last::There(object) => Last::Passed(object.resource_version().into()),
            other => other.clone(),
        };
        if let Some(sight) = self.sight.upgrade() {
            sight.set(last);
        }
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
        lock(&self.objects).entry(name).or_default().set(last, connection);
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
