//! Writes down what was done, as it is done.
//!
//! The intents of the whole plan land before the first write to a cluster, progress lands while the run goes
//! on, and the results land with the release of the lock. A run that dies in between leaves its intents, and
//! the marks on the objects themselves tell the next run what became of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine_core::object_ref::ObjectRef;
use engine_core::plan::outcome::{Outcome, Report};
use engine_core::ports::{Revision, StateError, StateStore, Stored};
use engine_core::state::{Holder, Intent, Output, ResourceRecord, State};
use engine_core::value::Text;

/// Between two progress commits: hosting services ask for at most six pushes a minute.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The state while a run changes it.
pub(crate) struct Journal {
    store: Arc<dyn StateStore>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    /// What has been done of the state's intents since it was last written.
    done: HashSet<ObjectRef>,
    revision: Revision,
    written: Instant,
}

impl Journal {
    /// Takes the lock and records the intents.
    ///
    /// # Errors
    /// The state was moved meanwhile, or cannot be written. Nothing has been done then.
    pub(crate) fn begin(
        store: Arc<dyn StateStore>,
        base: &Stored,
        intents: Vec<Intent>,
        holder: Holder,
    ) -> Result<Self, StateError> {
        let mut state = base.state.clone();
        state.serial += 1;
        state.epoch += 1;
        state.intents = intents;
        let summary = format!("{}: begin, {} changes intended", holder.operation, state.intents.len());
        state.holder = Some(holder);
        let revision = store.advance(Some(&base.revision), &state, &summary)?;
        Ok(Self {
            store,
            inner: Mutex::new(Inner { state, done: HashSet::new(), revision, written: Instant::now() }),
        })
    }

    /// Returns where the state is kept.
    pub(crate) fn store(&self) -> &dyn StateStore {
        self.store.as_ref()
    }

    /// Records that an object exists as applied.
    pub(crate) fn applied(&self, object_ref: &ObjectRef, record: ResourceRecord) {
        self.change(object_ref, |state| drop(state.records.insert(object_ref.clone(), record)));
    }

    /// Records that an object is gone, or no longer ours.
    pub(crate) fn removed(&self, object_ref: &ObjectRef) {
        self.change(object_ref, |state| drop(state.records.remove(object_ref)));
    }

    /// Returns the record of an object.
    pub(crate) fn record(&self, object_ref: &ObjectRef) -> Option<ResourceRecord> {
        self.lock().state.records.get(object_ref).cloned()
    }

    fn change(&self, object_ref: &ObjectRef, edit: impl FnOnce(&mut State)) {
        let mut inner = self.lock();
        edit(&mut inner.state);
        inner.done.insert(object_ref.clone());
        if inner.written.elapsed() >= HEARTBEAT {
            // A heartbeat that fails is made good by the next one or by the end.
            if let Err(error) = self.advance(&mut inner, "apply: progress") {
                tracing::warn!(%error, "progress could not be recorded");
            }
        }
    }

    /// Records the results and releases the lock.
    ///
    /// # Errors
    /// The state was moved by somebody else, or cannot be written; comes with the state that should have been
    /// written.
    pub(crate) fn finish(
        &self,
        outputs: BTreeMap<Text, Output>,
        report: &Report,
        summary: &str,
    ) -> Result<Stored, Box<(StateError, State)>> {
        let mut inner = self.lock();
        inner.state.holder = None;
        // What may have landed stays intended, so that the next run looks for it.
        let unknown = report.entries.iter().filter(|entry| matches!(entry.outcome, Outcome::Unknown(_)));
        let unknown: BTreeSet<&ObjectRef> = unknown.map(|entry| &entry.object_ref).collect();
        inner.state.intents.retain(|intent| unknown.contains(&intent.object_ref));
        inner.state.outputs = outputs;
        let intended = inner.state.intents.iter().map(|intent| &intent.object_ref);
        let used: BTreeSet<_> =
            inner.state.records.keys().chain(intended).map(|it| it.cluster.clone()).collect();
        inner.state.clusters.retain(|cluster, _| used.contains(cluster));
        match self.advance(&mut inner, summary) {
            Ok(()) => Ok(Stored { revision: inner.revision.clone(), state: inner.state.clone() }),
            Err(error) => Err(Box::new((error, inner.state.clone()))),
        }
    }

    fn advance(&self, inner: &mut Inner, summary: &str) -> Result<(), StateError> {
        let done = std::mem::take(&mut inner.done);
        inner.state.intents.retain(|intent| !done.contains(&intent.object_ref));
        inner.state.serial += 1;
        let landed = self.store.advance(Some(&inner.revision), &inner.state, summary);
        match landed {
            Ok(revision) => {
                inner.revision = revision;
                inner.written = Instant::now();
                Ok(())
            }
            Err(error) => {
                inner.state.serial -= 1;
                Err(error)
            }
        }
    }

    /// A panic while the lock was held cannot leave the state half-changed: every edit is one assignment.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
