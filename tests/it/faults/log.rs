//! What happened in which order: advances of the state and writes to the cluster.

use std::sync::{Arc, Mutex};

use engine_core::digest::Digest;
use engine_core::ports::{Approval, HistoryEntry, Revision, StateError, StateStore, Stored};
use engine_core::state::{Intent, State};
use engine_state::MemoryStore;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A state landed in the store, with these intents if it has a holder.
    Advanced(Option<Vec<Intent>>),
    /// A request that changes an object left for the cluster.
    Wrote { method: String, path: String },
}

/// Everything that happened in a world.
#[derive(Default)]
pub struct Log(Mutex<Vec<Event>>);

impl Log {
    pub fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether a run holds the lock.
    pub fn is_locked(&self) -> bool {
        let events = self.0.lock().unwrap();
        let states = events.iter().rev().find_map(|event| match event {
            Event::Advanced(intents) => Some(intents.is_some()),
            Event::Wrote { .. } => None,
        });
        states.unwrap_or_default()
    }

    /// The writes since a moment, as `METHOD path`.
    pub fn writes_since(&self, moment: usize) -> Vec<String> {
        let written = |event: &Event| match event {
            Event::Wrote { method, path } => Some(format!("{method} {path}")),
            Event::Advanced(_) => None,
        };
        self.0.lock().unwrap()[moment..].iter().filter_map(written).collect()
    }

    /// Insists that every write was intended in the store before it left.
    pub fn check_intents(&self) {
        let mut intended: &[Intent] = &[];
        let events = self.0.lock().unwrap();
        for event in events.iter() {
            match event {
                Event::Advanced(intents) => intended = intents.as_deref().unwrap_or_default(),
                Event::Wrote { path, .. } => {
                    let covered = intended.iter().any(|intent| path.ends_with(&end_of_path(intent)));
                    assert!(covered, "{path} is written without an intent in {intended:?}");
                }
            }
        }
    }
}

/// How the path of an intent's object ends. The kinds of these tests have the plural that one expects.
fn end_of_path(intent: &Intent) -> String {
    let object_ref = &intent.object_ref;
    format!("/{}s/{}", object_ref.kind.kind.to_lowercase(), object_ref.name)
}

/// A store that notes what lands, and can refuse.
pub struct WatchedStore {
    chain: MemoryStore,
    log: Arc<Log>,
    /// How many advances still land before one is refused, and with which error.
    refusal: Mutex<Option<(usize, StateError)>>,
    landed: Mutex<Vec<State>>,
}

impl WatchedStore {
    pub fn new(log: Arc<Log>) -> Self {
        Self { chain: MemoryStore::new(), log, refusal: Mutex::default(), landed: Mutex::default() }
    }

    /// Refuses one advance after `first` more have landed.
    pub fn refuse_after(&self, first: usize, error: StateError) {
        *self.refusal.lock().unwrap() = Some((first, error));
    }

    /// Every state that ever landed.
    pub fn landed(&self) -> Vec<State> {
        self.landed.lock().unwrap().clone()
    }

    fn refused(&self) -> Option<StateError> {
        let mut refusal = self.refusal.lock().unwrap();
        match refusal.take() {
            Some((0, error)) => Some(error),
            Some((left, error)) => {
                *refusal = Some((left - 1, error));
                None
            }
            None => None,
        }
    }
}

impl StateStore for WatchedStore {
    fn latest(&self) -> Result<Option<Stored>, StateError> {
        self.chain.latest()
    }

    fn append(
        &self,
        expected: Option<&Revision>,
        next: &State,
        summary: &str,
        plan: Option<&Digest>,
    ) -> Result<Revision, StateError> {
        if let Some(error) = self.refused() {
            return Err(error);
        }
        let revision = self.chain.append(expected, next, summary, plan)?;
        let intents = next.holder.is_some().then(|| next.intents.clone());
        self.log.note(Event::Advanced(intents));
        self.landed.lock().unwrap().push(next.clone());
        Ok(revision)
    }

    fn approve(&self, decision: &Digest) -> Result<Approval, StateError> {
        self.chain.approve(decision)
    }

    fn approval(&self, decision: &Digest) -> Result<Option<Approval>, StateError> {
        self.chain.approval(decision)
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StateError> {
        self.chain.history(limit)
    }
}
