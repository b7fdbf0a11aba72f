//! The state while a run changes it, and the lock under which it does.
//!
//! The intents of the whole plan land before the first write to a cluster, signs of life with the progress land while
//! the run goes on, and the results land with the release of the lock. A run that dies in between leaves its intents, and
//! the marks on the objects themselves tell the next run what became of them.
//!
//! Nothing here reads a clock or waits: times are given, counted from any moment, so that a schedule of events can be
//! replayed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_core::digest::Digest;
use engine_core::lock::Tenure;
use engine_core::object_ref::ObjectRef;
use engine_core::plan::ActionKind;
use engine_core::ports::{Revision, RunLog, StateError, StateStore, Stored};
use engine_core::state::{Deed, Holder, Intent, Output, ResourceRecord, State};
use engine_core::value::Text;

/// Where a run writes down what it does.
pub(crate) struct Chain {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) log: Arc<dyn RunLog>,
    /// The decision digest of the plan, which every revision of the run names.
    pub(crate) plan: Option<Digest>,
}

/// The state while a run changes it.
pub(crate) struct Journal {
    chain: Chain,
    operation: Text,
    intended: usize,
    inner: Mutex<Inner>,
    /// Held by whoever appends: revisions follow each other.
    turn: Mutex<()>,
}

struct Inner {
    /// As it will be written, but for the intents that are done.
    state: State,
    done: HashSet<ObjectRef>,
    /// Objects that are written and were not seen current yet.
    awaited: HashSet<ObjectRef>,
    revision: Revision,
    /// A revision that may have landed.
    doubtful: Option<Doubtful>,
    tenure: Tenure,
    /// Another run has taken the lock.
    displaced: bool,
}

/// A revision whose fate is not known.
struct Doubtful {
    revision: Revision,
    state: State,
}

/// How many of the newest revisions are looked through for a doubtful one.
const RECENT: usize = 16;

impl Journal {
    /// Takes the lock and records the intents.
    ///
    /// # Errors
    /// The state was moved meanwhile, or cannot be written. Nothing has been done then.
    pub(crate) fn begin(
        chain: Chain,
        base: &Stored,
        intents: Vec<Intent>,
        holder: Holder,
        now: Duration,
    ) -> Result<Self, StateError> {
        let mut state = base.state.clone();
        let (operation, intended) = (holder.operation.clone(), intents.len());
        let tenure = Tenure::new(holder.renewal, now);
        state.serial += 1;
        state.epoch += 1;
        state.intents = intents;
        state.holder = Some(holder);
        let changes = if intended == 1 { "change" } else { "changes" };
        let summary = format!("{operation}: begin, {intended} {changes} intended");
        let Chain { store, plan, .. } = &chain;
        let revision = store.append(Some(&base.revision), &state, &summary, plan.as_ref())?;
        let awaited = state.intents.iter().filter(|intent| intent.action == ActionKind::Await);
        let (done, awaited) = (HashSet::new(), awaited.map(|intent| intent.object_ref.clone()).collect());
        let inner = Inner { state, done, awaited, revision, doubtful: None, tenure, displaced: false };
        let inner = Mutex::new(inner);
        Ok(Self { chain, operation, intended, inner, turn: Mutex::default() })
    }

    /// Returns where the state is kept.
    pub(crate) fn store(&self) -> &dyn StateStore {
        self.chain.store.as_ref()
    }

    /// Records that an object exists as applied. It stays intended until it is [`seen`](Self::seen).
    pub(crate) fn applied(&self, object_ref: &ObjectRef, record: ResourceRecord) {
        self.record_deed(Deed::Applied(object_ref.clone(), Box::new(record)));
        self.lock().awaited.insert(object_ref.clone());
    }

    /// Notes that an object was seen current, or that nobody waits for that.
    pub(crate) fn seen(&self, object_ref: &ObjectRef) {
        let mut inner = self.lock();
        inner.awaited.remove(object_ref);
        inner.done.insert(object_ref.clone());
    }

    /// Records that an object is gone, or no longer ours.
    pub(crate) fn removed(&self, object_ref: &ObjectRef) {
        self.record_deed(Deed::Removed(object_ref.clone()));
        self.seen(object_ref);
    }

    /// Returns the record of an object.
    pub(crate) fn record(&self, object_ref: &ObjectRef) -> Option<ResourceRecord> {
        self.lock().state.records.get(object_ref).cloned()
    }

    fn record_deed(&self, deed: Deed) {
        self.chain.log.note(&deed);
        self.lock().state.record(deed);
    }

    /// Returns how long there is until a sign of life is due.
    pub(crate) fn until_due(&self, now: Duration) -> Duration {
        self.lock().tenure.until_due(now)
    }

    /// Tells whether a write to a cluster may begin. If not, a [`renew`](Self::renew) must succeed first.
    pub(crate) fn may_write(&self, now: Duration) -> bool {
        let inner = self.lock();
        !inner.displaced && inner.tenure.may_write(now)
    }

    /// Tells whether another run is known to have taken the lock.
    pub(crate) fn is_displaced(&self) -> bool {
        self.lock().displaced
    }

    /// Appends the progress as a sign of life.
    ///
    /// # Errors
    /// Another run has the lock, or the state cannot be written.
    pub(crate) fn renew(&self, now: Duration) -> Result<(), StateError> {
        let done = {
            let inner = self.lock();
            inner.state.intents.iter().filter(|intent| inner.done.contains(&intent.object_ref)).count()
        };
        let Self { operation, intended, .. } = self;
        self.append(&format!("{operation}: {done} of {intended} changes done"), now).map(drop)
    }

    /// Sets what the last revision of this run says beside the records: nobody holds the lock, and what is open stays
    /// intended: what may have landed, so that the next run looks for it, what nobody has seen current, and what waited
    /// for a soak.
    pub(crate) fn conclude(&self, outputs: BTreeMap<Text, Output>, open: &BTreeSet<ObjectRef>) {
        // A sign of life that is on its way is the last one.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        inner.done.retain(|object_ref| !open.contains(object_ref));
        let Inner { state, awaited, .. } = &mut *inner;
        state.holder = None;
        let is_open = |object_ref: &ObjectRef| open.contains(object_ref) || awaited.contains(object_ref);
        state.intents.retain(|intent| is_open(&intent.object_ref));
        state.outputs = outputs;
        let intended = state.intents.iter().map(|intent| &intent.object_ref);
        let used: BTreeSet<_> = state.records.keys().chain(intended).map(|it| it.cluster.clone()).collect();
        state.clusters.retain(|cluster, _| used.contains(cluster));
    }

    /// Appends what [`conclude`](Self::conclude) has set, which releases the lock, and ends the log. May be repeated.
    ///
    /// # Errors
    /// Another run has the lock, or the state cannot be written. The log stays for the next run.
    pub(crate) fn release(&self, summary: &str, now: Duration) -> Result<Stored, StateError> {
        let state = self.append(summary, now)?;
        self.chain.log.close();
        Ok(Stored { revision: self.lock().revision.clone(), state })
    }

    fn append(&self, summary: &str, now: Duration) -> Result<State, StateError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let is_released = |landed: &State| landed.holder.is_none();
        if let Some(landed) = self.settle_doubt()?.filter(is_released) {
            return Ok(landed);
        }
        let answer = self.advance(summary, now);
        if !matches!(answer, Err(StateError::Moved { .. })) {
            return answer;
        }
        // A push that was given up can land after all, even after the chain was looked at.
        let answer = match self.settle_doubt()? {
            Some(landed) if is_released(&landed) => Ok(landed),
            Some(_) => self.advance(summary, now),
            None => answer,
        };
        answer.inspect_err(|error| self.lock().displaced |= matches!(error, StateError::Moved { .. }))
    }

    fn advance(&self, summary: &str, now: Duration) -> Result<State, StateError> {
        let (expected, next) = {
            let inner = self.lock();
            let mut next = inner.state.clone();
            next.intents.retain(|intent| !inner.done.contains(&intent.object_ref));
            next.serial += 1;
            (inner.revision.clone(), next)
        };
        let Chain { store, plan, .. } = &self.chain;
        let landed = store.append(Some(&expected), &next, summary, plan.as_ref());
        let mut inner = self.lock();
        match landed {
            Ok(revision) => {
                inner.landed(revision, &next);
                inner.tenure.proved(now);
                Ok(next)
            }
            Err(error) => {
                if let StateError::Unknown { revision, .. } = &error {
                    inner.doubtful = Some(Doubtful { revision: revision.clone(), state: next });
                }
                Err(error)
            }
        }
    }

    /// Finds out what became of a revision that may have landed; returns its state if it has.
    fn settle_doubt(&self) -> Result<Option<State>, StateError> {
        if self.lock().doubtful.is_none() {
            return Ok(None);
        }
        let recent = self.chain.store.history(RECENT)?;
        let mut inner = self.lock();
        let landed =
            inner.doubtful.take_if(|doubtful| recent.iter().any(|entry| entry.revision == doubtful.revision));
        Ok(landed.map(|Doubtful { revision, state }| {
            inner.landed(revision, &state);
            state
        }))
    }

    /// A panic while the lock was held cannot leave the state half-changed: every edit is one assignment.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn landed(&mut self, revision: Revision, state: &State) {
        self.revision = revision;
        self.state.serial = state.serial;
        self.doubtful = None;
    }
}

#[cfg(test)]
mod tests;
