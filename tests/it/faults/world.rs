//! A cluster, a state and a definition, and the way of the commands through them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use engine_config::{Definition, LoadOptions, load};
use engine_converge::Providers;
use engine_converge::apply::{ApplyError, Finished, Progress, Run, apply};
use engine_converge::gate::Judge;
use engine_converge::predict::{Basis, Purpose, predict};
use engine_converge::read::{Question, read, read_object};
use engine_core::address::Address;
use engine_core::cluster::{ClusterRecord, Connection as Reached};
use engine_core::diagnostic::Diagnostics;
use engine_core::digest::{Fingerprint, SealKey};
use engine_core::graph::ResourceGraph;
use engine_core::kind_info::Discovery;
use engine_core::live::Live;
use engine_core::lock::Renewal;
use engine_core::mark::Lineage;
use engine_core::object_ref::{ClusterRef, ObjectRef, Uid};
use engine_core::plan::outcome::Outcome;
use engine_core::plan::triage::{DesiredPrints, Triage, desired_prints, ready_reads, triage};
use engine_core::plan::{Change, Plan, PlanInput, PlannedOutput, Tier, plan};
use engine_core::ports::{BoxFuture, ClusterProvider, ListQuery, Page, StateStore, Stored};
use engine_core::resource::Body as Declared;
use engine_core::rollout::Gate;
use engine_core::state::{Holder, State};
use engine_core::value::{Text, Value};
use engine_render::{Operation, RunEvent, Style, event_json, plan_json, plan_text, report_text};
use engine_state::RunFiles;
use http::{Method, Request, StatusCode};
use providers_kubernetes::{Client, KubernetesProvider};
use providers_kustomize::Kustomize;
use providers_sandbox::Sandbox;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

use super::foreign::{FOREIGN_NAMESPACE, twins};
use super::log::{Log, WatchedStore};
use super::wire::{Connection, Strike, Wire};

/// What no state and no output may hold.
pub const CANARY: &str = "k3-canary-9d1f0c57";
/// The same as a Secret holds it.
const CANARY_BASE64: &str = "azMtY2FuYXJ5LTlkMWYwYzU3";

/// The kinds of the definitions.
const KINDS: [&str; 7] =
    ["Namespace", "ResourceQuota", "ConfigMap", "Secret", "Deployment", "CustomResourceDefinition", "Widget"];

/// What a run is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The definition as first written.
    First,
    /// The definition after a change: two objects differ, one is new, one is gone.
    Second,
    /// Nothing, as `destroy`.
    Nothing,
}

impl Goal {
    fn graph(self, definition: &Definition) -> Arc<ResourceGraph> {
        if self == Self::Nothing { Arc::default() } else { definition.graph.clone() }
    }

    fn outputs(self, definition: &Definition) -> BTreeMap<Text, PlannedOutput> {
        let outputs = definition.outputs.iter().filter(|_| self != Self::Nothing);
        outputs.map(|(name, output)| (name.clone(), output.value.clone())).collect()
    }
}

/// The two definitions, on disk.
pub struct Definitions(TempDir);

impl Definitions {
    pub fn write() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, replicas, last) in [
            ("first", 1, include_str!("widget.hcl").to_owned()),
            ("second", 2, include_str!("widget.hcl").replace("widget\"", "gadget\"")),
        ] {
            let text = include_str!("main.hcl").replace("REPLICAS", &replicas.to_string());
            std::fs::create_dir(directory.path().join(name)).unwrap();
            let text = text.replace("CANARY", CANARY).replace("WHICH", name);
            std::fs::write(directory.path().join(name).join("main.hcl"), text + &last).unwrap();
        }
        Self(directory)
    }

    fn load(&self, goal: Goal, reads: &BTreeMap<Address, Value>) -> Definition {
        let directory = self.0.path().join(if goal == Goal::Second { "second" } else { "first" });
        let options = LoadOptions {
            repository: directory.clone(),
            directory: directory.clone(),
            variables: Vec::new(),
            clock: jiff::Timestamp::UNIX_EPOCH,
            contexts: BTreeMap::new(),
            origin: None,
        };
        load(&options, &Kustomize::new(&directory), reads).unwrap_or_else(|faults| panic!("{faults:?}"))
    }
}

/// How a run ended.
pub enum Ended {
    /// The process died.
    Died,
    /// There was no plan, or one with errors.
    Unplanned(String),
    /// The apply could not begin or could not record its end.
    Refused(ApplyError),
    /// The apply came to its end.
    Finished(Box<Finished>),
}

impl Ended {
    /// Returns what is shown of the end.
    fn text(&self) -> String {
        let report = |report| report_text(report, Operation::Apply, Style::PLAIN);
        match self {
            Self::Died => String::new(),
            Self::Unplanned(why) => why.clone(),
            Self::Refused(error) => match error {
                ApplyError::Unrecorded { source, report: done }
                | ApplyError::Displaced { source, report: done } => {
                    format!("{error}: {source}\n{}", report(done))
                }
                _ => format!("{error:?}"),
            },
            Self::Finished(finished) => report(&finished.report),
        }
    }

    /// Returns what was finished, and insists that everything is done.
    pub fn done(self, when: &str) -> Box<Finished> {
        match self {
            Self::Finished(finished) => {
                assert!(finished.report.is_success(), "{when}: {:#?}", finished.report);
                finished
            }
            Self::Died => panic!("{when}: died"),
            Self::Unplanned(why) => panic!("{when}: no plan: {why}"),
            Self::Refused(error) => panic!("{when}: {error:?}"),
        }
    }
}

/// What a run left behind, without what differs from cluster to cluster.
#[derive(Debug, Default)]
pub struct Left(Vec<String>);

impl Left {
    /// Insists that two worlds hold the same.
    pub fn check(&self, wanted: &Self, when: &str) {
        let (found, wanted) = (&self.0, &wanted.0);
        let more: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
        let less: Vec<_> = wanted.iter().filter(|line| !found.contains(line)).collect();
        assert!(
            more.is_empty() && less.is_empty(),
            "{when}: left {more:#?}, a run without faults leaves {less:#?}"
        );
    }
}

/// A cluster with objects of somebody else, and the state of one environment.
pub struct World<'a> {
    definitions: &'a Definitions,
    sandbox: Sandbox,
    pub store: Arc<WatchedStore>,
    pub log: Arc<Log>,
    /// The log of a run on the machine that all runs start on.
    pub files: RunFiles,
    directory: TempDir,
    /// Everything that was shown to anybody.
    said: Arc<Mutex<Vec<String>>>,
}

impl<'a> World<'a> {
    pub async fn new(definitions: &'a Definitions) -> Self {
        let log = Arc::new(Log::default());
        let store = Arc::new(WatchedStore::new(log.clone()));
        let directory = tempfile::tempdir().unwrap();
        let mut state = State::empty("faults".parse().unwrap(), lineage());
        let files = RunFiles::new(directory.path(), &state.environment);
        let (sandbox, said) = (Sandbox::in_memory(), Arc::default());
        let world = Self { definitions, sandbox, store, log, files, directory, said };
        state.serial = 1;
        world.store.advance(None, &state, "init: create the state").unwrap();
        for twin in twins() {
            world.put(&twin).await;
        }
        world
    }

    /// Plans and applies as the commands do, over a connection with this fault. Returns how it ended, and whether
    /// the fault happened.
    pub async fn run(&self, goal: Goal, strike: Option<Strike>) -> (Ended, bool) {
        let wire = Wire::new(self.sandbox.router(), self.log.clone(), strike);
        let ended = tokio::select! {
            biased;
            () = wire.death() => Ended::Died,
            ended = self.plan_and_apply(goal, &wire) => ended,
        };
        self.say(ended.text());
        for entry in std::fs::read_dir(self.directory.path()).unwrap() {
            self.say(std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
        (ended, wire.struck())
    }

    /// Leaves the machine of a run that died: somebody releases the lock elsewhere, and its log is out of reach.
    pub fn unlock_elsewhere(&self) {
        self.files.clear().unwrap();
        let stored = self.stored();
        let mut next = stored.state;
        if next.holder.take().is_some() {
            next.serial += 1;
            next.epoch += 1;
            self.store.advance(Some(&stored.revision), &next, "unlock").unwrap();
        }
    }

    pub fn stored(&self) -> Stored {
        self.store.latest().unwrap().unwrap()
    }

    async fn plan_and_apply(&self, goal: Goal, wire: &Arc<Wire>) -> Ended {
        let mut base = self.stored();
        let left = self.files.left_behind().unwrap().filter(|left| left.settle(&mut base.state));
        let planned = match self.plan(goal, &base.state, wire).await {
            Ok(planned) => planned,
            Err(why) => return Ended::Unplanned(why),
        };
        let Planned { plan, graph, definition, reads, clusters, observed, served, providers } = planned;
        self.say(plan_text(&plan, Style::PLAIN));
        self.say(plan_json(&plan));
        if plan.diagnostics.has_errors() {
            return Ended::Unplanned(plan_text(&plan, Style::PLAIN));
        }
        let plan = Arc::new(plan);
        let (_interrupt, interrupted) = watch::channel(false);
        let log = self.files.begin(&base.state.lineage, &"0123".into(), left.as_ref()).unwrap();
        let run = Run {
            plan: plan.clone(),
            graph,
            base,
            store: self.store.clone(),
            log: Arc::new(log),
            is_part: false,
            providers: Arc::new(providers),
            clusters,
            resolver: definition.filler.clone(),
            reads,
            observed,
            served,
            key: Some(key()),
            judge: Arc::new(NoChecks),
            holder: Holder {
                run: "0123".into(),
                who: "tester".into(),
                operation: "apply".into(),
                since: "2026-01-01T00:00:00Z".into(),
                renewal: Renewal::default(),
            },
            parallelism: 10,
            progress: Arc::new(Listener(self.said.clone())),
            interrupted,
        };
        match apply(run).await {
            Ok(finished) => {
                let found = Diagnostics::default();
                self.say(event_json(RunEvent::Finished(&plan, &finished.report, &found), "now"));
                Ended::Finished(Box::new(finished))
            }
            Err(error) => Ended::Refused(error),
        }
    }

    /// Plans, with what can be read before the apply.
    async fn plan(&self, goal: Goal, state: &State, wire: &Arc<Wire>) -> Result<Planned, String> {
        let client = Client::new(Connection(wire.clone()), "default");
        let provider: Arc<dyn ClusterProvider> = Arc::new(KubernetesProvider::new(client));
        let unread = self.definitions.load(goal, &BTreeMap::new());
        let providers: Providers = unread.clusters.keys().map(|it| (it.clone(), provider.clone())).collect();
        let reads = read_ready(&goal.graph(&unread), state, &providers).await?;
        let definition = self.definitions.load(goal, &reads);
        let graph = goal.graph(&definition);
        let (desired, live, triage) = look(&graph, state, &providers).await?;
        let basis = Basis { graph: &graph, state, live: &live, purpose: Purpose::Apply };
        let predictions = predict(basis, &triage, &providers).await;
        let plan = plan(&PlanInput {
            graph: &graph,
            whole: &graph,
            state,
            observed: Some((&live, &triage)),
            predictions: &predictions,
            desired: &desired,
            adopt: definition.adopt,
            accepted: &definition.accepted,
            outputs: &goal.outputs(&definition),
            rollouts: definition.rollouts(),
            replace: &BTreeSet::new(),
            left_out: &BTreeMap::new(),
        });
        let clusters = live.clusters.iter().map(|(cluster, live)| {
            (cluster.clone(), ClusterRecord { connection: Reached::Sandbox, uid: live.uid.clone() })
        });
        let clusters = clusters.collect();
        let unchanged = plan.changes.iter().filter(|it| it.is_unchanged() && it.tier == Tier::Server);
        let observed =
            unchanged.filter_map(|it| Some((it.object_ref.clone(), live.get(&it.object_ref)?.settled?)));
        let observed = observed.collect();
        let served = live.clusters.into_iter().map(|(cluster, live)| (cluster, live.discovery)).collect();
        Ok(Planned { plan, graph, definition, reads, clusters, observed, served, providers })
    }

    fn say(&self, text: String) {
        self.said.lock().unwrap().push(text);
    }

    /// Insists that what nobody may learn was neither stored nor shown.
    pub fn check_secrecy(&self) {
        let said = self.said.lock().unwrap().clone();
        let stored = self.store.landed();
        for text in said.into_iter().chain(stored.iter().map(encoded)) {
            for canary in [CANARY, CANARY_BASE64.trim_end_matches('=')] {
                assert!(!text.contains(canary), "the canary is in\n{text}");
            }
        }
    }

    /// Returns every object of the kinds that are ours.
    async fn objects(&self) -> Vec<Json> {
        let provider = KubernetesProvider::new(Client::new(self.sandbox.router(), "default"));
        let discovery = provider.discover().await.unwrap();
        let mut found = Vec::new();
        for kind in discovery.iter().filter(|kind| KINDS.contains(&kind.kind.kind.as_str())) {
            let query = ListQuery { kind: kind.clone(), namespace: None, labels: None };
            let mut sink = |page| match page {
                Page::Items(items) => {
                    found.extend(items.iter().map(|object| serde_json::to_value(object.body()).unwrap()));
                }
                Page::Restart => panic!("a list in memory never restarts"),
            };
            provider.list(&query, &mut sink).await.unwrap();
        }
        found
    }

    /// Returns the objects with our mark, by kind, namespace and name.
    pub async fn ours(&self) -> BTreeMap<String, Json> {
        let lineage = lineage();
        let marked =
            |object: &Json| object["metadata"]["annotations"]["terrane.dev/lineage"] == lineage.as_str();
        let objects = self.objects().await;
        objects.into_iter().filter(marked).map(|object| (name_of(&object), object)).collect()
    }

    /// Returns what is somebody else's, to the last byte.
    pub async fn foreign(&self) -> BTreeMap<String, Json> {
        let foreign = |object: &Json| {
            let metadata = &object["metadata"];
            metadata["namespace"] == FOREIGN_NAMESPACE || metadata["name"] == FOREIGN_NAMESPACE
        };
        let objects = self.objects().await;
        objects.into_iter().filter(foreign).map(|object| (name_of(&object), object)).collect()
    }

    /// Returns what is left of an environment, in a form that can be compared with another world's.
    pub async fn left(&self) -> Left {
        let mut live = self.ours().await;
        live.values_mut().for_each(strip);
        let mut state = self.stored().state;
        (state.serial, state.epoch) = (0, 0);
        state.records.values_mut().for_each(|record| record.uid = Uid::new("uid"));
        state.clusters.values_mut().for_each(|cluster| cluster.uid = Uid::new("uid"));
        assert_eq!(state.holder, None, "the lock is released");
        let live = live.iter().map(|(name, object)| format!("{name} {object}"));
        Left(live.chain(encoded(&state).lines().map(str::to_owned)).collect())
    }

    /// Writes an object as somebody else.
    pub async fn put(&self, (path, body): &(String, Json)) {
        let path = format!("{path}?fieldManager=somebody");
        let (status, answer) = self.send(Method::PATCH, &path, Body::from(body.to_string())).await;
        assert!(status.is_success(), "{path}: {answer}");
    }

    /// Edits fields of an object as somebody else.
    pub async fn edit(&self, path: &str, fields: &Json) {
        let request = Request::builder().method(Method::PATCH).uri(format!("{path}?fieldManager=editor"));
        let request = request.header("content-type", "application/merge-patch+json");
        let request = request.body(Body::from(fields.to_string())).unwrap();
        let answer = self.sandbox.router().oneshot(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}");
    }

    /// Deletes an object as somebody else.
    pub async fn delete(&self, path: &str) {
        let (status, answer) = self.send(Method::DELETE, path, Body::empty()).await;
        assert!(status.is_success(), "{path}: {answer}");
    }

    /// Reads an object as somebody else.
    pub async fn get(&self, path: &str) -> Option<Json> {
        let (status, answer) = self.send(Method::GET, path, Body::empty()).await;
        status.is_success().then_some(answer)
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> (StatusCode, Json) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/apply-patch+yaml").body(body).unwrap();
        let answer = self.sandbox.router().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// A plan, and what an apply needs of the way to it.
struct Planned {
    plan: Plan,
    graph: Arc<ResourceGraph>,
    definition: Definition,
    reads: BTreeMap<Address, Value>,
    clusters: BTreeMap<ClusterRef, ClusterRecord>,
    observed: HashMap<ObjectRef, Fingerprint>,
    served: BTreeMap<ClusterRef, Discovery>,
    providers: Providers,
}

/// Reads the clusters and sorts what is desired.
async fn look(
    graph: &ResourceGraph,
    state: &State,
    providers: &Providers,
) -> Result<(DesiredPrints, Live, Triage), String> {
    let key = key();
    let desired = desired_prints(graph, Some(&key));
    let live = read(Question { graph, desired: &desired, state, key: Some(&key) }, providers).await;
    let live = live.map_err(|error| format!("{error:?}"))?;
    let triage = triage(graph, state, &live, &desired);
    Ok((desired, live, triage))
}

/// Reads what the plan need not leave to the apply.
async fn read_ready(
    graph: &ResourceGraph,
    state: &State,
    providers: &Providers,
) -> Result<BTreeMap<Address, Value>, String> {
    let mut reads = BTreeMap::new();
    if graph.resources().iter().all(|resource| resource.manifest().is_some()) {
        return Ok(reads);
    }
    let (_, _, triage) = look(graph, state, providers).await?;
    for resource in ready_reads(graph, &triage) {
        let Declared::Read(declared) = &resource.body else { continue };
        let found = read_object(declared, providers).await.map_err(|error| format!("{error:?}"))?;
        reads.insert(resource.address.clone(), found);
    }
    Ok(reads)
}

/// Keeps what a run tells its user.
struct Listener(Arc<Mutex<Vec<String>>>);

/// The definition has no checks.
struct NoChecks;

impl Judge for NoChecks {
    fn failures(&self, _: BTreeMap<Address, Value>) -> BoxFuture<'_, Result<Vec<(Address, String)>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl Progress for Listener {
    fn begun(&self, _: &Change) {}

    fn soaking(&self, _: &Gate, _: Duration) {}

    fn waiting(&self, change: &Change, missing: &str) {
        self.0.lock().unwrap().push(format!("{}: {missing}", change.address));
    }

    fn ended(&self, change: &Change, outcome: &Outcome) {
        self.0.lock().unwrap().push(format!("{change:?}: {outcome:?}"));
    }
}

fn lineage() -> Lineage {
    Lineage::new([7; 16])
}

fn key() -> SealKey {
    SealKey::new([9; 32])
}

fn encoded(state: &State) -> String {
    let files = engine_state::encode(state).unwrap();
    let parts = [files.meta, files.objects, files.intents];
    parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn name_of(object: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    format!("{} {}/{}", text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
}

/// Drops what differs between two clusters that hold the same.
fn strip(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.retain(|name, _| {
                let time = name.ends_with("Time") || name == "time" || name == "creationTimestamp";
                !time && name != "uid" && name != "resourceVersion"
            });
            fields.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
