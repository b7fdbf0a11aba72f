//! Applies a plan: start what is unblocked, await any, record, unblock its dependents or skip them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine_core::address::Address;
use engine_core::cluster::ClusterRecord;
use engine_core::digest::{Fingerprint, SealKey};
use engine_core::graph::ResourceGraph;
use engine_core::kind_info::Discovery;
use engine_core::mark::ENVIRONMENT_LABEL;
use engine_core::object_ref::{ApiVersion, ClusterRef, ObjectRef};
use engine_core::plan::outcome::{Outcome, Report, ReportEntry};
use engine_core::plan::schedule::{Schedule, StepId, Walk};
use engine_core::plan::{Action, Change, Plan};
use engine_core::ports::{Resolver, RunLog, StateError, StateStore, Stored};
use engine_core::resource::Resource;
use engine_core::rollout::Gate;
use engine_core::state::{Holder, Intent};
use engine_core::value::Value;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::task::{self, JoinSet};
use tracing::Instrument;

use crate::Providers;
use crate::clock::Clock;
use crate::execute::Executor;
use crate::gate::Judge;
use crate::journal::{Chain, Journal};
use crate::keeper::Keeper;
use crate::wait::Watches;

/// Hears what happens during a run.
pub trait Progress: Send + Sync {
    /// A change begins.
    fn begun(&self, change: &Change);
    /// A change was written and waits; says what is missing.
    fn waiting(&self, change: &Change, missing: &str);
    /// A wave is to begin after this time.
    fn soaking(&self, gate: &Gate, soak: Duration);
    /// A change ended.
    fn ended(&self, change: &Change, outcome: &Outcome);
}

/// Everything that an apply needs.
pub struct Run {
    /// What to do. Without errors in its diagnostics.
    pub plan: Arc<Plan>,
    /// Whether it is about a part of the environment: what a run before left unfinished elsewhere stays so.
    pub is_part: bool,
    /// The definition that was planned.
    pub graph: Arc<ResourceGraph>,
    /// The state that was planned on.
    pub base: Stored,
    /// Where the state is kept.
    pub store: Arc<dyn StateStore>,
    /// Where the run notes what it does.
    pub log: Arc<dyn RunLog>,
    /// The clusters.
    pub providers: Arc<Providers>,
    /// How the clusters are reached and what they are, for the state.
    pub clusters: BTreeMap<ClusterRef, ClusterRecord>,
    /// Fills holes.
    pub resolver: Arc<dyn Resolver>,
    /// Objects read while planning, by the address of the read.
    pub reads: BTreeMap<Address, Value>,
    /// Digests of unchanged objects that the server, and not their records, settled: recorded, so that the next
    /// plan need not ask again.
    pub observed: HashMap<ObjectRef, Fingerprint>,
    /// What the clusters serve, as the plan heard. A kind that is missing is asked for again.
    pub served: BTreeMap<ClusterRef, Discovery>,
    /// Key of the sensitive digests.
    pub key: Option<SealKey>,
    /// Judges checks between the waves of a rollout.
    pub judge: Arc<dyn Judge>,
    /// Who runs this, for the lock.
    pub holder: Holder,
    /// How many changes are written at once. Waits do not count.
    pub parallelism: usize,
    /// Hears what happens.
    pub progress: Arc<dyn Progress>,
    /// Turns true when the run is to end early.
    pub interrupted: watch::Receiver<bool>,
}

/// What an apply left behind.
pub struct Finished {
    /// What became of each change.
    pub report: Report,
    /// The state as recorded.
    pub stored: Stored,
    /// Objects read while planning and applying, by the address of the read.
    pub reads: BTreeMap<Address, Value>,
}

/// Why an apply could not begin, or could not record its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another run holds the lock.
    #[error("the state is locked by {} since {} (operation {}, run {})", .0.who, .0.since, .0.operation, .0.run)]
    Locked(Box<Holder>),
    /// The state could not be taken. Nothing has been done.
    #[error("cannot begin")]
    Begin(#[source] StateError),
    /// Another run took the lock while this one went on. Nothing was begun after that was seen.
    #[error("another run has taken the lock")]
    Displaced {
        /// What the chain says.
        #[source]
        source: StateError,
        /// What became of each change.
        report: Report,
    },
    /// The results could not be recorded: the run's log keeps them, and the lock is still held.
    #[error("what was done could not be recorded")]
    Unrecorded {
        /// Why.
        #[source]
        source: StateError,
        /// What became of each change.
        report: Report,
    },
}

/// Applies a plan.
///
/// # Errors
/// The lock is taken, the state moved, or the results could not be recorded. A change that fails is no error
/// here: it is in the report.
///
/// # Cancel safety
/// Not cancel safe: to end early, send `true` through [`Run::interrupted`]. What is in flight is finished and
/// recorded.
pub async fn apply(run: Run) -> Result<Finished, ApplyError> {
    if let Some(holder) = &run.base.state.holder {
        return Err(ApplyError::Locked(Box::new(holder.clone())));
    }
    let schedule = Schedule::new(&run.plan, &run.graph, &run.base.state);
    let mut base = run.base.clone();
    base.state.clusters.extend(run.clusters.clone());
    let clock = Clock::start();
    let (store, log, plan) = (run.store.clone(), run.log.clone(), Some(run.plan.decision_digest()));
    let chain = Chain { store, log, plan };
    let (mut intents, unfinished) = (intents(&run), unfinished(&run));
    let carried: BTreeSet<ObjectRef> = unfinished.iter().map(|intent| intent.object_ref.clone()).collect();
    intents.extend(unfinished);
    let journal = Journal::begin(chain, &base, intents, run.holder.clone(), clock.now());
    let journal = Keeper::new(journal.map_err(ApplyError::Begin)?, clock);
    let labels = format!("{ENVIRONMENT_LABEL}={}", run.plan.environment);
    let (stop, stopped) = watch::channel(false);
    let executor = Arc::new(Executor {
        plan: run.plan.clone(),
        graph: run.graph,
        state: base.state,
        providers: run.providers,
        resolver: run.resolver,
        reads: Mutex::new(run.reads),
        filled: Mutex::default(),
        observed: run.observed,
        served: Mutex::new(run.served),
        key: run.key,
        journal: journal.clone(),
        watches: Watches::new(labels, stopped.clone()),
        writes: Semaphore::new(run.parallelism.max(1)),
        gates: run.plan.gates.iter().map(|_| OnceCell::new()).collect(),
        judge: run.judge,
        progress: run.progress,
        interrupted: stopped.clone(),
    });
    let walker = Walker {
        walk: schedule.walk(),
        schedule: &schedule,
        executor: executor.clone(),
        running: JoinSet::new(),
        tasks: HashMap::new(),
        report: Report::default(),
        interrupted: stopped,
    };
    let report = tokio::select! {
        report = walker.run() => report,
        never = journal.keep_alive(&stop) => match never {},
        never = pass_on(run.interrupted, &stop) => match never {},
    };
    let summary = format!("{}: {}", run.holder.operation, report.tally());
    let open = open(&report, &executor.waiting());
    match journal.release(executor.outputs(), &carried | &open, summary).await {
        Ok(stored) => Ok(Finished { report, stored, reads: executor.reads() }),
        Err(source) if journal.is_displaced() => Err(ApplyError::Displaced { source, report }),
        Err(source) => Err(ApplyError::Unrecorded { source, report }),
    }
}

/// Ends the run early when its user wants it.
async fn pass_on(mut interrupted: watch::Receiver<bool>, stop: &watch::Sender<bool>) -> Infallible {
    if interrupted.wait_for(|interrupted| *interrupted).await.is_ok() {
        stop.send_replace(true);
    }
    std::future::pending().await
}

fn intents(run: &Run) -> Vec<Intent> {
    let writes =
        run.plan.effective().filter(|change| !matches!(change.action, Action::Read | Action::Forget));
    let before = &run.base.state;
    let unfinished: HashMap<&ObjectRef, &Intent> =
        before.intents.iter().map(|intent| (&intent.object_ref, intent)).collect();
    let intents = writes.map(|change| {
        let resource = run.graph.at(&change.address);
        let record = before.records.get(&change.object_ref);
        let intent = unfinished.get(&change.object_ref);
        let version = resource.and_then(Resource::manifest).map(|manifest| manifest.api_version().clone());
        let recorded = || record.map(|it| it.api_version.clone());
        let dependencies = resource.map(|resource| run.graph.dependencies(resource));
        let known = || record.map(|it| &it.dependencies).or(intent.map(|it| &it.dependencies)).cloned();
        // An orphan has neither; where its group has no such version, the preferred one is read.
        let any = || ApiVersion::new(change.object_ref.kind.group.clone(), "v1");
        Intent {
            object_ref: change.object_ref.clone(),
            address: change.address.clone(),
            action: change.action.kind(),
            api_version: version.or_else(recorded).unwrap_or_else(any),
            dependencies: dependencies.or_else(known).unwrap_or_default(),
        }
    });
    intents.collect()
}

/// Returns the objects of which it is not known whether they were written, and those that were about to be on clusters
/// whose gates were not passed: a soak before them may have been cut short.
fn open(report: &Report, waiting: &BTreeSet<&ClusterRef>) -> BTreeSet<ObjectRef> {
    let open = report.entries.iter().filter(|entry| match entry.outcome {
        Outcome::Unknown(_) => true,
        Outcome::Interrupted => waiting.contains(&entry.object_ref.cluster),
        _ => false,
    });
    open.map(|entry| entry.object_ref.clone()).collect()
}

/// Returns what a run before this one left intended, and this plan says nothing about.
fn unfinished(run: &Run) -> Vec<Intent> {
    let Plan { changes, refresh_only, .. } = &*run.plan;
    if !run.is_part && !refresh_only {
        return Vec::new();
    }
    // Nothing is done about what is only looked at.
    let is_settled = |change: &&Change| !refresh_only || change.action != Action::NoOp;
    let planned: BTreeSet<&ObjectRef> = changes.iter().filter(is_settled).map(|it| &it.object_ref).collect();
    let intents = run.base.state.intents.iter();
    intents.filter(|intent| !planned.contains(&intent.object_ref)).cloned().collect()
}

struct Walker<'a> {
    walk: Walk<'a>,
    schedule: &'a Schedule,
    executor: Arc<Executor>,
    running: JoinSet<Outcome>,
    tasks: HashMap<task::Id, StepId>,
    report: Report,
    interrupted: watch::Receiver<bool>,
}

impl Walker<'_> {
    async fn run(mut self) -> Report {
        loop {
            self.start();
            let (task, outcome) = match self.running.join_next_with_id().await {
                None => break,
                Some(Ok(ended)) => ended,
                // A panic in one change must not lose what the others did.
                Some(Err(error)) => {
                    tracing::error!(%error, "a change ended in a fault of this program");
                    (error.id(), Outcome::Unknown("a fault of this program ended it".into()))
                }
            };
            if let Some(step) = self.tasks.remove(&task) {
                self.ended(step, outcome);
            }
        }
        self.report
    }

    /// Starts every step that is ready. Stages and unchanged objects end at once.
    fn start(&mut self) {
        while let Some(step) = self.walk.next_ready() {
            let change = self.schedule.steps[step].change.map(|idx| &self.executor.plan.changes[idx]);
            let gates = &self.schedule.steps[step].gates;
            if !gates.is_empty() {
                let (executor, gates) = (self.executor.clone(), gates.clone());
                let task = self.running.spawn(async move { executor.pass(&gates).await });
                self.tasks.insert(task.id(), step);
                continue;
            }
            match change {
                Some(change) if change.action != Action::NoOp => {
                    if *self.interrupted.borrow() {
                        self.ended(step, Outcome::Interrupted);
                        continue;
                    }
                    let (executor, change) = (self.executor.clone(), change.clone());
                    let span = tracing::info_span!("change", address = %change.address, action = %change.action.kind());
                    let work = async move { executor.execute(&change).await };
                    let task = self.running.spawn(work.instrument(span));
                    self.tasks.insert(task.id(), step);
                }
                change => {
                    if let Some(change) = change {
                        self.executor.refresh_record(change);
                    }
                    self.walk.done(step);
                }
            }
        }
    }

    fn ended(&mut self, step: StepId, outcome: Outcome) {
        let address = self.change(step).map(|change| change.address.clone());
        let done = matches!(outcome, Outcome::Done { .. });
        let held = matches!(outcome, Outcome::Held(_) | Outcome::Interrupted).then(|| outcome.clone());
        self.entry(step, outcome);
        if done {
            return self.walk.done(step);
        }
        for lost in self.walk.failed(step) {
            let outcome = match (&address, &held) {
                (_, Some(held)) => held.clone(),
                (Some(address), None) => Outcome::Skipped { because: address.clone() },
                (None, None) => Outcome::Interrupted,
            };
            self.entry(lost, outcome);
        }
    }

    fn change(&self, step: StepId) -> Option<&Change> {
        self.schedule.steps[step].change.map(|idx| &self.executor.plan.changes[idx])
    }

    fn entry(&mut self, step: StepId, outcome: Outcome) {
        let Some(change) = self.change(step).filter(|change| change.action != Action::NoOp) else {
            return;
        };
        self.executor.progress.ended(change, &outcome);
        self.report.entries.push(ReportEntry {
            address: change.address.clone(),
            object_ref: change.object_ref.clone(),
            action: change.action.kind(),
            outcome,
        });
    }
}

/// How long an object took, from its first request.
pub(crate) fn done(since: std::time::Instant) -> Outcome {
    let took: Duration = since.elapsed();
    Outcome::Done { took }
}
