//! The order in which a plan's changes are made, and the walk through it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Bfs, EdgeRef};

use crate::address::Address;
use crate::graph::order::order_dropping;
use crate::graph::{Node, ResourceGraph};
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::plan::{Action, Change, Plan};
use crate::state::State;

/// A position in [`Schedule::steps`].
pub type StepId = usize;

/// One step: a change, or a stage at which others meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Position in [`Plan::changes`]; `None` for a stage.
    pub change: Option<usize>,
    /// Positions in [`Plan::gates`], of the stage with which a cluster begins: one for each rollout that it is in.
    pub gates: Vec<usize>,
    /// Steps that wait for this one.
    pub dependents: Vec<StepId>,
    /// How many steps this one waits for.
    pub blockers: usize,
}

/// The steps of a plan in order of dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Every step comes after all it waits for.
    pub steps: Vec<Step>,
}

/// Whether an edge may go when records contradict each other or the definition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// From the definition's graph, and from its rollouts.
    Declared,
    /// From records: of objects that are deleted.
    Recorded,
}

/// A node, with what it sorts by.
#[derive(Clone)]
struct Point {
    change: Option<usize>,
    gates: Vec<usize>,
    key: Key,
}

/// Ties go by the order of the definition's graph; then come deletions by address, stages behind objects; then gates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Apply(usize),
    Delete(Address, usize),
    Gate(usize),
}

impl Schedule {
    /// Orders a plan: what is applied follows the definition's graph; what is deleted goes in reverse of what
    /// its records, or the intents of a run that died, depend on, and only after everything that stops depending on it has been applied.
    pub fn new(plan: &Plan, graph: &ResourceGraph, state: &State) -> Self {
        let mut builder = Builder {
            points: DiGraph::new(),
            by_object: HashMap::new(),
            gone: BTreeMap::new(),
            starts: HashMap::new(),
        };
        builder.applies(plan, graph);
        builder.deletes(plan, state);
        builder.finish()
    }

    /// Begins a walk.
    pub fn walk(&self) -> Walk<'_> {
        let blockers: Vec<usize> = self.steps.iter().map(|step| step.blockers).collect();
        let ready = (0..self.steps.len()).filter(|id| blockers[*id] == 0).collect();
        Walk {
            schedule: self,
            blockers,
            ready,
            skipped: vec![false; self.steps.len()],
            open: self.steps.len(),
        }
    }
}

/// Puts a plan's changes into the order of its schedule.
///
/// What is applied comes in the order of the graph, and that is how the changes are found: only deletions have
/// to be sorted in.
pub(crate) fn sort(plan: &mut Plan, graph: &ResourceGraph, state: &State) {
    if plan.changes.iter().all(applies) {
        return;
    }
    let schedule = Schedule::new(plan, graph, state);
    let order = schedule.steps.iter().filter_map(|step| step.change);
    let mut slots: Vec<Option<Change>> = std::mem::take(&mut plan.changes).into_iter().map(Some).collect();
    plan.changes = order.filter_map(|idx| slots.get_mut(idx)?.take()).collect();
}

struct Builder<'a> {
    points: DiGraph<Point, Link>,
    by_object: HashMap<&'a ObjectRef, NodeIndex>,
    /// Per block address, the stage that all deletions of its dependents reach first.
    gone: BTreeMap<Address, NodeIndex>,
    /// Of the clusters that wait at a gate, or that a gate waits for: how they begin.
    starts: HashMap<Address, NodeIndex>,
}

impl<'a> Builder<'a> {
    fn applies(&mut self, plan: &'a Plan, graph: &ResourceGraph) {
        let changes: HashMap<&Address, usize> = plan
            .changes
            .iter()
            .enumerate()
            .filter(|(_, change)| applies(change))
            .map(|(i, c)| (&c.address, i))
            .collect();
        let mut gates: HashMap<Address, Vec<usize>> = HashMap::new();
        for (idx, gate) in plan.gates.iter().enumerate() {
            for cluster in &gate.clusters {
                gates.entry(Address::of_cluster(cluster)).or_default().push(idx);
            }
        }
        let mut points: HashMap<NodeIndex, NodeIndex> = HashMap::new();
        for (at, (node, kind)) in graph.nodes_in_order().enumerate() {
            let change = match kind {
                Node::Start(_) | Node::Done(_) => None,
                Node::Resource(idx) => changes.get(&graph.resources()[*idx].address).copied(),
            };
            let point = self.points.add_node(Point { change, gates: Vec::new(), key: Key::Apply(at) });
            points.insert(node, point);
            if let Node::Start(address) = kind
                && let Some(gates) = gates.get(address)
            {
                self.points[point].gates.clone_from(gates);
                self.starts.insert(address.clone(), point);
            }
            if let Some(change) = change {
                self.by_object.insert(&plan.changes[change].object_ref, point);
            }
        }
        for (dependency, dependent, _) in graph.edges() {
            if let (Some(from), Some(to)) = (points.get(&dependency), points.get(&dependent)) {
                self.points.add_edge(*from, *to, Link::Declared);
            }
        }
    }

    fn deletes(&mut self, plan: &'a Plan, state: &'a State) {
        if plan.changes.iter().all(applies) {
            return;
        }
        let mut deleted = Vec::new();
        for (idx, change) in plan.changes.iter().enumerate().filter(|(_, change)| !applies(change)) {
            let key = Key::Delete(change.address.clone(), idx);
            let point = self.points.add_node(Point { change: Some(idx), gates: Vec::new(), key });
            self.by_object.insert(&change.object_ref, point);
            let cluster = Address::of_cluster(&change.object_ref.cluster);
            if let Some(start) = self.starts.get(&cluster) {
                self.points.add_edge(*start, point, Link::Declared);
            }
            deleted.push((point, &change.object_ref.cluster));
            for address in change.address.enclosing().into_iter().chain([cluster]) {
                let stage = self.gone_stage(&address);
                self.points.add_edge(stage, point, Link::Recorded);
            }
        }
        // Of an object whose creation nobody lived to record, the intent knows as much.
        let intents = state.intents.iter().filter(|intent| !state.records.contains_key(&intent.object_ref));
        let intents = intents.map(|intent| (&intent.object_ref, &intent.dependencies));
        let records = state.records.iter().map(|(object_ref, record)| (object_ref, &record.dependencies));
        for (object_ref, dependencies) in records.chain(intents) {
            let Some(dependent) = self.by_object.get(object_ref).copied() else {
                continue;
            };
            // Waves go forward, also where something is deleted; without them a cluster's end comes before that of
            // those it depends on.
            for block in dependencies.blocks.iter().filter(|it| !self.starts.contains_key(*it)) {
                if let Some(stage) = self.gone.get(block) {
                    self.points.add_edge(dependent, *stage, Link::Recorded);
                }
            }
            for object in dependencies.objects_of(object_ref) {
                let dependency = self.by_object.get(&object).copied();
                if let Some(dependency) =
                    dependency.filter(|point| matches!(self.points[*point].key, Key::Delete(..)))
                {
                    self.points.add_edge(dependent, dependency, Link::Recorded);
                }
            }
        }
        self.hold_gates(plan, &deleted);
    }

    /// Has each gate wait, through a stage of its own, for what is deleted in the waves before it: but not for what comes
    /// after the gate, because something of a later wave depends on it. So no edge closes a cycle.
    fn hold_gates(&mut self, plan: &Plan, deleted: &[(NodeIndex, &ClusterRef)]) {
        for (idx, gate) in plan.gates.iter().enumerate().rev() {
            let before = plan.gates[..idx].iter().filter(|it| it.rollout == gate.rollout);
            let before: HashSet<&ClusterRef> = before.flat_map(|it| &it.clusters).collect();
            let stage = self.points.add_node(Point { change: None, gates: Vec::new(), key: Key::Gate(idx) });
            for start in gate.clusters.iter().filter_map(|it| self.starts.get(&Address::of_cluster(it))) {
                self.points.add_edge(stage, *start, Link::Declared);
            }
            let mut after = HashSet::new();
            let mut walk = Bfs::new(&self.points, stage);
            while let Some(point) = walk.next(&self.points) {
                after.insert(point);
            }
            for (point, cluster) in deleted {
                if before.contains(cluster) && !after.contains(point) {
                    self.points.add_edge(*point, stage, Link::Declared);
                }
            }
        }
    }

    fn gone_stage(&mut self, address: &Address) -> NodeIndex {
        if let Some(stage) = self.gone.get(address) {
            return *stage;
        }
        let stage = self.points.add_node(Point {
            change: None,
            gates: Vec::new(),
            key: Key::Delete(address.clone(), usize::MAX),
        });
        self.gone.insert(address.clone(), stage);
        stage
    }

    fn finish(mut self) -> Schedule {
        // The definition's part is acyclic, and so it stays with what gates wait for: a cycle can only be among records
        // that were written by different definitions.
        let is_droppable = |link: &Link| *link == Link::Recorded;
        let order = order_dropping(&mut self.points, is_droppable, |point| point.key.clone());
        let order = order.unwrap_or_default();
        let mut position = vec![0; self.points.node_count()];
        for (at, node) in order.iter().enumerate() {
            position[node.index()] = at;
        }
        let steps = order.iter().map(|node| Step {
            change: self.points[*node].change,
            gates: self.points[*node].gates.clone(),
            dependents: self.points.edges(*node).map(|edge| position[edge.target().index()]).collect(),
            blockers: self.points.edges_directed(*node, petgraph::Incoming).count(),
        });
        Schedule { steps: steps.collect() }
    }
}

fn applies(change: &Change) -> bool {
    !matches!(change.action, Action::Delete { .. } | Action::Forget | Action::Release { .. })
}

/// A walk through a schedule: the caller begins steps that are ready and says how they ended.
pub struct Walk<'a> {
    schedule: &'a Schedule,
    blockers: Vec<usize>,
    ready: VecDeque<StepId>,
    skipped: Vec<bool>,
    open: usize,
}

impl Walk<'_> {
    /// Returns the next step that may begin.
    pub fn next_ready(&mut self) -> Option<StepId> {
        self.ready.pop_front()
    }

    /// Tells whether every step has ended.
    pub fn is_finished(&self) -> bool {
        self.open == 0
    }

    /// A step is done: its dependents may become ready.
    pub fn done(&mut self, step: StepId) {
        self.open -= 1;
        for dependent in &self.schedule.steps[step].dependents {
            self.blockers[*dependent] -= 1;
            if self.blockers[*dependent] == 0 && !self.skipped[*dependent] {
                self.ready.push_back(*dependent);
            }
        }
    }

    /// A step failed: returns all that depends on it, directly or not, and will never begin.
    pub fn failed(&mut self, step: StepId) -> Vec<StepId> {
        self.open -= 1;
        let mut lost = Vec::new();
        let mut queue = VecDeque::from([step]);
        while let Some(at) = queue.pop_front() {
            for dependent in &self.schedule.steps[at].dependents {
                if !std::mem::replace(&mut self.skipped[*dependent], true) {
                    self.open -= 1;
                    lost.push(*dependent);
                    queue.push_back(*dependent);
                }
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests;
