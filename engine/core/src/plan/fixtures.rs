//! Stories for tests: objects are declared, applied and touched by others; the plan tells what it makes of it.

mod server;
mod summary;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use crate::address::Address;
use crate::digest::{Fingerprint, SealKey};
use crate::field_path::{FieldPath, PathElement};
use crate::graph::{Block, EdgeReason, GraphBuilder, ResourceGraph};
use crate::kind_info::{Discovery, KindInfo, Scope};
use crate::live::{Live, LiveCluster, LiveObject};
use crate::manifest::{Hole, Manifest};
use crate::mark::{ENVIRONMENT_LABEL, Lineage, OwnershipMark};
use crate::object::Object;
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef, Uid};
use crate::plan::ownership::judge;
use crate::plan::simulate::simulate;
use crate::plan::triage::{Triage, desired_prints, is_settled, triage};
use crate::plan::{Action, AdoptPolicy, Change, Exceptions, Plan, PlanInput, PlannedOutput, Tier, plan};
use crate::ports::Witness;
use crate::prediction::Prediction;
use crate::resource::{Body, Lifecycle, Read, Resource, Timeouts, Wait};
use crate::sensitive::SensitivePaths;
use crate::state::{ResourceRecord, State, path_hash};
use crate::value::{Text, Value};

pub(crate) use server::{Foreign, SOME_TIME};
pub(crate) use summary::{faults, line, lines};

/// Reads a value from JSON.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Reads something that has a text form.
pub(crate) fn parse<T: std::str::FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

/// Reads a path of map fields: `spec.replicas`.
pub(crate) fn path(text: &str) -> FieldPath {
    text.split('.').map(|name| PathElement::Field(name.into())).collect()
}

/// Builds the body of `v1 ConfigMap dev/settings`, the rest of it from JSON.
pub(crate) fn body(head: &str, rest: &str) -> Value {
    let [api_version, kind, name] = head.split(' ').collect::<Vec<_>>()[..] else {
        panic!("no head of an object: {head}");
    };
    let mut body = json(rest);
    body.set_at(&["apiVersion"], api_version.into());
    body.set_at(&["kind"], kind.into());
    if let Some((namespace, _)) = name.split_once('/') {
        body.set_at(&["metadata", "namespace"], namespace.into());
    }
    let (_, name) = name.split_once('/').unwrap_or(("", name));
    body.set_at(&["metadata", "name"], name.into());
    body
}

/// Reads `Deployment.apps/dev/web`, on cluster `main`.
pub(crate) fn object_ref(key: &str) -> ObjectRef {
    let parts: Vec<&str> = key.split('/').collect();
    let (kind, group) = parts[0].split_once('.').unwrap_or((parts[0], ""));
    ObjectRef {
        cluster: ClusterRef::new("main"),
        kind: GroupKind::new(group, kind),
        namespace: (parts.len() == 3).then(|| parts[1].into()),
        name: parts[parts.len() - 1].into(),
    }
}

/// One declared resource.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(crate) resource: Resource,
    after: Vec<Address>,
}

impl Declared {
    /// Declares an object at `manifest.<name>`.
    pub(crate) fn new(head: &str, rest: &str) -> Self {
        Self::with(body(head, rest), SensitivePaths::default(), Vec::new())
    }

    fn with(body: Value, sensitive: SensitivePaths, holes: Vec<Hole>) -> Self {
        let manifest = Manifest::new(ClusterRef::new("main"), body, sensitive, holes).unwrap();
        let address = parse(&format!("manifest.{}", manifest.object_ref().name.replace('.', "-")));
        let resource = Resource {
            address,
            body: Body::Object(Box::new(manifest)),
            lifecycle: Lifecycle::default(),
            wait: Wait::default(),
            timeouts: Timeouts::default(),
            span: None,
        };
        Self { resource, after: Vec::new() }
    }

    /// Declares a read at apply of an object.
    pub(crate) fn read(key: &str) -> Self {
        let object_ref = object_ref(key);
        let mut read = Self::new("v1 ConfigMap x", "{}");
        read.resource.address = parse(&format!("read.{}", object_ref.name));
        read.resource.body = Body::Read(Read { object_ref, api_version: None });
        read
    }

    pub(crate) fn at(mut self, address: &str) -> Self {
        self.resource.address = parse(address);
        self
    }

    /// Depends on a block.
    pub(crate) fn after(mut self, block: &str) -> Self {
        self.after.push(parse(block));
        self
    }

    pub(crate) fn protected(mut self) -> Self {
        self.resource.lifecycle.prevent_destroy = true;
        self
    }

    pub(crate) fn ignoring(mut self, field: &str) -> Self {
        self.resource.lifecycle.ignore_changes.push(path(field));
        self
    }

    /// Declares a field that is known only after apply.
    pub(crate) fn hole(self, field: &str) -> Self {
        self.rebuilt(|body, _, holes| {
            body.set_at(&field.split('.').collect::<Vec<_>>(), Value::Null);
            holes.push(Hole { path: path(field) });
        })
    }

    pub(crate) fn sensitive(self, field: &str) -> Self {
        self.rebuilt(|_, sensitive, _| sensitive.insert(&path(field)))
    }

    fn rebuilt(mut self, change: impl FnOnce(&mut Value, &mut SensitivePaths, &mut Vec<Hole>)) -> Self {
        let manifest = self.manifest();
        let (mut body, mut sensitive) = (manifest.body().clone(), manifest.sensitive().clone());
        let mut holes = manifest.holes().to_vec();
        change(&mut body, &mut sensitive, &mut holes);
        let manifest = Manifest::new(ClusterRef::new("main"), body, sensitive, holes).unwrap();
        self.resource.body = Body::Object(Box::new(manifest));
        self
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.resource.manifest().unwrap()
    }
}

/// Builds a graph with one block for each step of the addresses.
pub(crate) fn graph(declared: &[Declared]) -> ResourceGraph {
    let mut builder = GraphBuilder::default();
    let mut blocks: BTreeMap<Address, Block> = BTreeMap::new();
    let mut owners = Vec::new();
    for Declared { resource, .. } in declared {
        let mut parent = None;
        let mut address: Option<Address> = None;
        for step in resource.address.steps() {
            let block = match &address {
                Some(address) => address.child(step.clone()),
                None => Address::root(step.clone()),
            };
            let built = *blocks.entry(block.clone()).or_insert_with(|| builder.block(&block, parent));
            (parent, address) = (Some(built), Some(block));
        }
        let block = parent.unwrap();
        builder.resource(block, resource.clone());
        owners.push(block);
    }
    for (Declared { after, .. }, block) in declared.iter().zip(owners) {
        for dependency in after {
            builder.depend(block, blocks[dependency], EdgeReason::Inferred("the test says so"));
        }
    }
    builder.build().unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// An environment, its state and its cluster.
pub(crate) struct World {
    pub(crate) declared: Vec<Declared>,
    pub(crate) state: State,
    pub(crate) objects: BTreeMap<ObjectRef, Value>,
    pub(crate) discovery: Discovery,
    pub(crate) unobserved: BTreeMap<(GroupKind, Option<Text>), String>,
    pub(crate) outputs: BTreeMap<Text, PlannedOutput>,
    pub(crate) adopt: AdoptPolicy,
    pub(crate) key: Option<SealKey>,
    /// What the server says in place of what it would say.
    pub(crate) answers: HashMap<ObjectRef, Prediction>,
}

/// The other environment of tests.
pub(crate) fn other_lineage() -> Lineage {
    Lineage::new([0xee; 16])
}

impl World {
    pub(crate) fn new(declared: impl IntoIterator<Item = Declared>) -> Self {
        let mut discovery = Discovery::default();
        for kind in engine_kinds::builtin::all() {
            discovery.insert(KindInfo {
                kind: GroupKind::new(kind.group, kind.kind),
                version: kind.version.into(),
                plural: kind.plural.into(),
                scope: if kind.scope == Scope::Namespaced { Scope::Namespaced } else { Scope::Cluster },
                listable: true,
            });
        }
        Self {
            declared: declared.into_iter().collect(),
            state: State::empty(parse("demo"), Lineage::new([0xaa; 16])),
            objects: BTreeMap::new(),
            discovery,
            unobserved: BTreeMap::new(),
            outputs: BTreeMap::new(),
            adopt: AdoptPolicy::Never,
            key: Some(SealKey::new([7; 32])),
            answers: HashMap::new(),
        }
    }

    /// A world in which everything declared has been applied.
    pub(crate) fn applied(declared: impl IntoIterator<Item = Declared>) -> Self {
        let mut world = Self::new(declared);
        world.apply();
        world
    }

    /// Declares something else.
    pub(crate) fn declare(&mut self, declared: impl IntoIterator<Item = Declared>) -> &mut Self {
        self.declared = declared.into_iter().collect();
        self
    }

    pub(crate) fn graph(&self) -> ResourceGraph {
        graph(&self.declared)
    }

    /// Somebody else writes fields of a live object.
    pub(crate) fn edit(&mut self, key: &str, by: Foreign<'_>, fields: &str) -> &mut Self {
        let object = self.objects.get_mut(&object_ref(key)).unwrap();
        server::edit(object, by, &json(fields));
        self
    }

    /// Changes a live object beside all managed fields.
    pub(crate) fn touch(&mut self, key: &str, change: impl FnOnce(&mut Value)) -> &mut Self {
        change(self.objects.get_mut(&object_ref(key)).unwrap());
        self
    }

    /// Somebody else creates an object.
    pub(crate) fn create(&mut self, head: &str, by: Foreign<'_>, rest: &str) -> &mut Self {
        let mut object = body(head, "{}");
        object.set_at(&["metadata", "uid"], "theirs".into());
        server::edit(&mut object, by, &body(head, rest));
        let manifest =
            Manifest::new(ClusterRef::new("main"), object.clone(), SensitivePaths::default(), Vec::new());
        self.objects.insert(manifest.unwrap().object_ref().clone(), object);
        self
    }

    pub(crate) fn live(&self, key: &str) -> &Value {
        &self.objects[&object_ref(key)]
    }

    pub(crate) fn record(&self, key: &str) -> &ResourceRecord {
        &self.state.records[&object_ref(key)]
    }

    /// What reading the cluster finds: objects with the environment's label, and recorded ones.
    pub(crate) fn observe(&self, graph: &ResourceGraph) -> Live {
        let desired = desired_prints(graph, self.key.as_ref());
        let label = ["metadata", "labels", ENVIRONMENT_LABEL];
        let seen = self.objects.iter().filter(|(object_ref, body)| {
            body.str_at(&label) == Some(self.state.environment.as_str())
                || self.state.records.contains_key(*object_ref)
        });
        let seen = seen.map(|(object_ref, body)| {
            let object = Object::new(body.clone());
            let manifest = graph.find(object_ref).and_then(Resource::manifest);
            let settled = manifest.and_then(|manifest| self.settled(manifest, &object));
            let mut live = LiveObject { uid: object.uid(), settled, object: None };
            let record = self.state.records.get(object_ref);
            let proved = manifest.is_some_and(|m| is_settled(m, &desired[object_ref], record, Some(&live)));
            live.object = (!proved).then_some(object);
            (object_ref.clone(), live)
        });
        let cluster = LiveCluster {
            uid: Uid::new("kube-system"),
            discovery: self.discovery.clone(),
            objects: seen.collect(),
            unobserved: self.unobserved.clone(),
        };
        Live { clusters: BTreeMap::from([(ClusterRef::new("main"), cluster)]) }
    }

    fn settled(&self, manifest: &Manifest, object: &Object) -> Option<Fingerprint> {
        let manager = self.state.lineage.field_manager();
        object.settled(&manager, manifest.api_version(), manifest.sensitive(), self.key.as_ref())
    }

    pub(crate) fn triage(&self) -> Triage {
        let graph = self.graph();
        triage(&graph, &self.state, &self.observe(&graph), &desired_prints(&graph, self.key.as_ref()))
    }

    pub(crate) fn plan(&self) -> Plan {
        let graph = self.graph();
        let live = self.observe(&graph);
        let triage = triage(&graph, &self.state, &live, &desired_prints(&graph, self.key.as_ref()));
        self.plan_with(&graph, Some((&live, &triage)), &self.predictions(&graph, &live, &triage))
    }

    /// Plans from digests alone.
    pub(crate) fn plan_offline(&self) -> Plan {
        self.plan_with(&self.graph(), None, &HashMap::new())
    }

    pub(crate) fn plan_with(
        &self,
        graph: &ResourceGraph,
        observed: Option<(&Live, &Triage)>,
        predictions: &HashMap<ObjectRef, Prediction>,
    ) -> Plan {
        plan(&PlanInput {
            graph,
            state: &self.state,
            observed,
            predictions,
            desired: &desired_prints(graph, self.key.as_ref()),
            adopt: self.adopt,
            outputs: &self.outputs,
        })
    }

    fn predictions(
        &self,
        graph: &ResourceGraph,
        live: &Live,
        triage: &Triage,
    ) -> HashMap<ObjectRef, Prediction> {
        let asked = triage.ask.keys().map(|object_ref| (object_ref, Tier::Server));
        let simulated = triage.simulate.keys().map(|object_ref| (object_ref, Tier::Client));
        let answers = asked.chain(simulated).map(|(object_ref, tier)| {
            let live = live.get(object_ref).and_then(|live| live.object.as_ref());
            let resource = graph.find(object_ref).unwrap();
            (object_ref.clone(), self.answer(resource, live, tier))
        });
        answers.collect()
    }

    fn answer(&self, resource: &Resource, live: Option<&Object>, tier: Tier) -> Prediction {
        let (manifest, manager) = (resource.manifest().unwrap(), self.state.lineage.field_manager());
        if let Some(said) = self.answers.get(manifest.object_ref()) {
            let exceptions = said.exceptions.clone();
            return Prediction {
                exceptions,
                conflicts: said.conflicts.clone(),
                immutable: said.immutable,
                ..Prediction::new(said.tier, said.result.clone(), said.witness)
            };
        }
        let mut exceptions = Exceptions::of_lifecycle(&resource.lifecycle, live, &manager);
        let met = self.objects.get(manifest.object_ref());
        let witness = if met.is_some() { Witness::Existed } else { Witness::Created };
        loop {
            let body = exceptions.body(manifest, &self.mark(resource));
            if tier == Tier::Client {
                let object = simulate(live, &body, &manager, manifest.api_version());
                return Prediction { exceptions, ..Prediction::new(tier, Ok(object), witness) };
            }
            let met = met.cloned().map(Object::new);
            let (after, conflicts) = server::apply(met.as_ref(), &body, &manager);
            let ours = live.is_some_and(|live| {
                live.mark().is_some_and(|mark| mark.lineage == self.state.lineage)
                    || self.state.records.get(manifest.object_ref()).is_some_and(|r| r.uid == live.uid())
            });
            let judgement = judge(&conflicts, live, Some(&after), ours);
            if judgement.yielded.is_empty() {
                let (force, conflicts) = (!conflicts.is_empty(), judgement.fatal);
                let answer = Prediction::new(tier, Ok(after), witness);
                return Prediction { exceptions, conflicts, force, ..answer };
            }
            exceptions.yielded.extend(judgement.yielded);
        }
    }

    fn mark(&self, resource: &Resource) -> OwnershipMark {
        OwnershipMark {
            environment: self.state.environment.clone(),
            lineage: self.state.lineage.clone(),
            address: resource.address.clone(),
        }
    }

    /// Plans and carries the plan out.
    pub(crate) fn apply(&mut self) -> Plan {
        let (plan, graph) = (self.plan(), self.graph());
        assert!(!plan.diagnostics.has_errors(), "{:?}", faults(&plan));
        for change in &plan.changes {
            self.carry_out(&graph, change);
        }
        self.state.epoch += 1;
        self.state.serial += 1;
        self.state.outputs = plan.new_outputs.clone();
        plan
    }

    fn carry_out(&mut self, graph: &ResourceGraph, change: &Change) {
        let object_ref = &change.object_ref;
        let none = Exceptions::default();
        let exceptions = match &change.action {
            Action::Delete { .. } => {
                self.objects.remove(object_ref);
                self.state.records.remove(object_ref);
                return;
            }
            Action::Forget => return drop(self.state.records.remove(object_ref)),
            Action::Read | Action::NoOp => return,
            Action::Replace { .. } => {
                self.objects.remove(object_ref);
                &none
            }
            Action::Update { exceptions, .. } => exceptions,
            _ => &none,
        };
        let resource = graph.find(object_ref).unwrap();
        let manifest = resource.manifest().unwrap();
        let manager = self.state.lineage.field_manager();
        let live = self.objects.get(object_ref).cloned().map(Object::new);
        let body = exceptions.body(manifest, &self.mark(resource));
        let (object, _) = server::apply(live.as_ref(), &body, &manager);
        let own = object.own_entry(&manager, manifest.api_version()).unwrap();
        let mut fields: Vec<u32> = own.fields.leaves().iter().map(path_hash).collect();
        fields.sort_unstable();
        let record = ResourceRecord {
            address: resource.address.clone(),
            api_version: manifest.api_version().clone(),
            uid: object.uid(),
            dependencies: graph.dependencies(resource),
            prevent_destroy: resource.lifecycle.prevent_destroy,
            desired: manifest.fingerprint(self.key.as_ref()),
            settled: self.settled(manifest, &object),
            fields,
        };
        self.objects.insert(object_ref.clone(), object.body().clone());
        self.state.records.insert(object_ref.clone(), record);
    }
}
