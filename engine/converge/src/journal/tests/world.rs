//! A store that fails on demand, and machines that runs die on.

use std::sync::{Arc, Mutex};

use engine_core::digest::{Digest, Fingerprint, Seal};
use engine_core::graph::Dependencies;
use engine_core::lock::Renewal;
use engine_core::mark::Lineage;
use engine_core::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::ActionKind;
use engine_core::ports::{Approval, HistoryEntry, Revision, RunLog, StateError, StateStore, Stored};
use engine_core::state::{Deed, Holder, Intent, LeftBehind, ResourceRecord, State};
use engine_core::value::Text;

pub const RENEWAL_S: u32 = 10;

pub fn object(idx: usize) -> ObjectRef {
    ObjectRef {
        cluster: ClusterRef::new("main"),
        kind: GroupKind::new("", "ConfigMap"),
        namespace: Some("dev".into()),
        name: format!("o{idx}").into(),
    }
}

/// The record of an object in which a write left this value.
pub fn record(value: u64) -> ResourceRecord {
    let open = Digest::of_bytes(&[]).print();
    ResourceRecord {
        address: "app.web".parse().unwrap(),
        api_version: ApiVersion::new("", "v1"),
        uid: Uid::new(value.to_string()),
        dependencies: Dependencies::default(),
        prevent_destroy: false,
        desired: Fingerprint { open, seal: Seal::Empty },
        settled: None,
        fields: Vec::new(),
    }
}

pub fn intent(idx: usize) -> Intent {
    Intent {
        object_ref: object(idx),
        address: "app.web".parse().unwrap(),
        action: ActionKind::Update,
        api_version: ApiVersion::new("", "v1"),
        dependencies: Default::default(),
    }
}

pub fn holder(run: &str) -> Holder {
    Holder {
        run: run.into(),
        who: "somebody@somewhere".into(),
        operation: "apply".into(),
        since: "2026-01-01T00:00:00Z".into(),
        renewal: Renewal::every(RENEWAL_S).unwrap(),
    }
}

/// What goes wrong with the next revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The store does not answer, and nothing has landed.
    Down,
    /// The revision lands, and nobody is told.
    ReplyLost,
    /// Nobody is told, and the revision lands later, if the chain has not moved by then.
    Delayed,
}

/// A chain in memory that checks its own law and fails on demand.
#[derive(Default)]
pub struct Store(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    chain: Vec<Stored>,
    drawn: usize,
    fault: Option<Fault>,
    is_down: bool,
    late: Option<(Option<Revision>, Stored)>,
    lands_at_next: bool,
}

impl Store {
    /// Returns a store with the first, empty state.
    pub fn new() -> Arc<Self> {
        let store = Arc::new(Self::default());
        let state = State { serial: 1, ..State::empty("dev".parse().unwrap(), Lineage::new([1; 16])) };
        store.advance(None, &state, "init").unwrap();
        store
    }

    pub fn fail_next(&self, fault: Fault) {
        self.0.lock().unwrap().fault = Some(fault);
    }

    /// Lets everything fail, or not any more.
    pub fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap().is_down = is_down;
    }

    /// Lets a delayed revision land when the next one is tried: after the chain was looked at.
    pub fn land_late_before_next(&self) {
        self.0.lock().unwrap().lands_at_next = true;
    }

    /// Lets a delayed revision land now.
    pub fn land_late(&self) {
        self.0.lock().unwrap().land_late();
    }

    /// Looks at the newest revision without asking the store.
    pub fn tip(&self) -> Stored {
        self.0.lock().unwrap().chain.last().unwrap().clone()
    }
}

impl Inner {
    fn land_late(&mut self) {
        if let Some((expected, stored)) = self.late.take()
            && self.chain.last().map(|tip| &tip.revision) == expected.as_ref()
        {
            self.push(stored);
        }
    }

    /// Appends under the law of the chain, which every store enforces.
    fn push(&mut self, next: Stored) {
        if let Some(tip) = self.chain.last() {
            assert_eq!(next.state.serial, tip.state.serial + 1, "serials follow each other");
            assert_eq!(next.state.lineage, tip.state.lineage);
            assert!(next.state.epoch >= tip.state.epoch, "epochs never fall");
        }
        self.chain.push(next);
    }
}

impl StateStore for Store {
    fn latest(&self) -> Result<Option<Stored>, StateError> {
        let inner = self.0.lock().unwrap();
        match inner.is_down {
            true => Err(StateError::Unreachable("down".into())),
            false => Ok(inner.chain.last().cloned()),
        }
    }

    fn append(
        &self,
        expected: Option<&Revision>,
        next: &State,
        _: &str,
        _: Option<&Digest>,
    ) -> Result<Revision, StateError> {
        let mut inner = self.0.lock().unwrap();
        if std::mem::take(&mut inner.lands_at_next) {
            inner.land_late();
        }
        let fault = inner.fault.take();
        if fault == Some(Fault::Down) || inner.is_down {
            return Err(StateError::Unreachable("down".into()));
        }
        inner.drawn += 1;
        let revision = Revision(format!("r{}", inner.drawn));
        let stored = Stored { revision: revision.clone(), state: next.clone() };
        let unknown = StateError::Unknown { revision: revision.clone(), reason: "no reply".into() };
        if fault == Some(Fault::Delayed) {
            inner.late = Some((expected.cloned(), stored));
            return Err(unknown);
        }
        let tip = inner.chain.last().map(|stored| &stored.revision);
        match (tip == expected, fault) {
            (true, fault) => {
                inner.push(stored);
                if fault.is_some() { Err(unknown) } else { Ok(revision) }
            }
            (false, Some(_)) => Err(unknown),
            (false, None) => {
                Err(StateError::Moved { expected: format!("{expected:?}"), found: format!("{tip:?}") })
            }
        }
    }

    fn approve(&self, _: &Digest) -> Result<Approval, StateError> {
        Err(StateError::Unusable("no approvals here".into()))
    }

    fn approval(&self, _: &Digest) -> Result<Option<Approval>, StateError> {
        Ok(None)
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StateError> {
        self.latest()?;
        let entry = |stored: &Stored| HistoryEntry {
            revision: stored.revision.clone(),
            serial: stored.state.serial,
            summary: String::new(),
            author: String::new(),
            time: String::new(),
            plan: None,
            restored: None,
        };
        Ok(self.0.lock().unwrap().chain.iter().rev().take(limit).map(entry).collect())
    }
}

/// The disk of a machine: it outlives the runs.
#[derive(Default, Clone)]
pub struct Machine(Arc<Mutex<Option<LeftBehind>>>);

impl Machine {
    /// Begins the log of a run.
    pub fn log(&self, run: &str, left: Option<LeftBehind>) -> Arc<dyn RunLog> {
        let displaced = left.as_ref().map(LeftBehind::runs).unwrap_or_default();
        let deeds = left.map(|left| left.deeds).unwrap_or_default();
        let (lineage, run): (_, Text) = (Lineage::new([1; 16]), run.into());
        *self.0.lock().unwrap() = Some(LeftBehind { lineage, run, displaced, deeds });
        Arc::new(self.clone())
    }

    /// Returns what the last run here left behind.
    pub fn left(&self) -> Option<LeftBehind> {
        self.0.lock().unwrap().clone()
    }
}

impl RunLog for Machine {
    fn note(&self, deed: &Deed) {
        if let Some(left) = &mut *self.0.lock().unwrap() {
            left.deeds.push(deed.clone());
        }
    }

    fn close(&self) {
        *self.0.lock().unwrap() = None;
    }
}
