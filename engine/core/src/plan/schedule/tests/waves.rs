//! Deletions and waves: several clusters, in rollouts, with records of whatever definitions there were before.

use std::sync::Arc;

use super::*;
use crate::diagnostic::{SourceFile, SourceSpan};
use crate::digest::{Digest, Fingerprint, Seal};
use crate::graph::{Block, Dependencies, EdgeReason, GraphBuilder};
use crate::manifest::Manifest;
use crate::object_ref::{ApiVersion, ClusterRef, Uid};
use crate::plan::triage::desired_prints;
use crate::plan::{AdoptPolicy, PlanInput, plan};
use crate::resource::{Body, Resource};
use crate::rollout::{Rollout, Wave};
use crate::sensitive::SensitivePaths;
use crate::state::ResourceRecord;

const CLUSTERS: usize = 5;

/// One object: where it is, what becomes of it, and what it depends on of those before it.
#[derive(Debug, Clone)]
struct One {
    cluster: usize,
    declared: bool,
    recorded: bool,
    /// Whether its record names blocks, or objects.
    by_block: bool,
    needs: Vec<Index>,
}

/// Everything that an order follows from.
#[derive(Debug, Clone)]
struct Story {
    objects: Vec<One>,
    /// Per rollout and cluster, the wave that it is in, if any.
    rollouts: Vec<Vec<Option<usize>>>,
}

fn stories() -> impl Strategy<Value = Story> {
    let needs = prop::collection::vec(any::<Index>(), 0..3);
    let fate = prop_oneof![Just((true, false)), Just((false, true)), Just((true, true)), Just((false, true))];
    let object = (0..CLUSTERS, fate, any::<bool>(), needs).prop_map(|(cluster, fate, by_block, needs)| One {
        cluster,
        declared: fate.0,
        recorded: fate.1,
        by_block,
        needs,
    });
    let waves = prop::collection::vec(prop::option::weighted(0.8, 0usize..3), CLUSTERS);
    let stories = (prop::collection::vec(object, 1..10), prop::collection::vec(waves, 1..3));
    stories.prop_map(|(objects, rollouts)| Story { objects, rollouts })
}

fn cluster(idx: usize) -> ClusterRef {
    ClusterRef::new(format!("c{idx}"))
}

fn address(idx: usize) -> Address {
    parse(&format!("manifest.o{idx}"))
}

fn manifest(idx: usize, on: usize) -> Manifest {
    let body = body(&format!("v1 ConfigMap dev/o{idx}"), r#"{"data":{"k":"1"}}"#);
    Manifest::new(cluster(on), body, SensitivePaths::default(), Vec::new()).unwrap()
}

fn here() -> SourceSpan {
    SourceSpan::new(Arc::new(SourceFile { path: "main.hcl".into(), text: String::new() }), 0..0)
}

impl Story {
    fn needs(&self, idx: usize) -> BTreeSet<usize> {
        self.objects[idx].needs.iter().filter(|_| idx > 0).map(|need| need.index(idx)).collect()
    }

    fn waves(&self) -> Vec<Rollout> {
        let rollouts = self.rollouts.iter().enumerate().map(|(idx, placed)| {
            let waves = (0..3).map(|wave| {
                let here = (0..CLUSTERS).filter(|cluster| placed[*cluster] == Some(wave));
                (wave, here.map(cluster).collect::<Vec<_>>())
            });
            let waves = waves.filter(|(_, clusters)| !clusters.is_empty()).map(|(wave, clusters)| Wave {
                name: format!("w{wave}").into(),
                clusters,
                soak: None,
                checks: Vec::new(),
                approval: false,
            });
            Rollout { name: format!("r{idx}").into(), waves: waves.collect() }
        });
        rollouts.collect()
    }

    /// Returns the graph as a definition gives it, `None` if it is a cycle.
    fn graph(&self) -> Option<ResourceGraph> {
        let mut builder = GraphBuilder::default();
        let mut blocks: BTreeMap<usize, Block> = BTreeMap::new();
        let stages: Vec<Block> =
            (0..CLUSTERS).map(|it| builder.block(&Address::of_cluster(&cluster(it)), None)).collect();
        for (idx, one) in self.objects.iter().enumerate().filter(|(_, one)| one.declared) {
            let block = builder.block(&address(idx), Some(stages[one.cluster]));
            let declared = Declared::new(&format!("v1 ConfigMap dev/o{idx}"), "{}");
            let body = Body::Object(Box::new(manifest(idx, one.cluster)));
            builder.resource(block, Resource { address: address(idx), body, ..declared.resource });
            for need in self.needs(idx) {
                let found = blocks.get(&need).copied();
                found.into_iter().for_each(|need| builder.depend(block, need, EdgeReason::DependsOn(here())));
            }
            blocks.insert(idx, block);
        }
        for rollout in self.waves() {
            for pair in rollout.waves.windows(2) {
                for (before, after) in
                    pair[0].clusters.iter().flat_map(|a| pair[1].clusters.iter().map(move |b| (a, b)))
                {
                    let stage =
                        |it: &ClusterRef| stages[(0..CLUSTERS).find(|idx| cluster(*idx) == *it).unwrap()];
                    builder.depend(stage(after), stage(before), EdgeReason::DependsOn(here()));
                }
            }
        }
        builder.build().ok()
    }

    fn state(&self) -> State {
        let mut state = State::empty(parse("demo"), other_lineage());
        for (idx, one) in self.objects.iter().enumerate().filter(|(_, one)| one.recorded) {
            let mut dependencies = Dependencies::default();
            for need in self.needs(idx) {
                match one.by_block {
                    true => dependencies.blocks.push(address(need)),
                    false => dependencies
                        .objects
                        .push(manifest(need, self.objects[need].cluster).object_ref().clone()),
                }
            }
            let record = ResourceRecord {
                address: address(idx),
                api_version: ApiVersion::new("", "v1"),
                uid: Uid::new(format!("uid-{idx}")),
                dependencies,
                prevent_destroy: false,
                desired: Fingerprint { open: Digest::of_value(&"another".into()).print(), seal: Seal::Empty },
                settled: None,
                fields: Vec::new(),
            };
            state.records.insert(manifest(idx, one.cluster).object_ref().clone(), record);
        }
        state
    }
}

fn planned(story: &Story, graph: &ResourceGraph, state: &State) -> Plan {
    plan(&PlanInput {
        graph,
        whole: graph,
        state,
        left_out: &BTreeMap::new(),
        observed: None,
        predictions: &HashMap::new(),
        desired: &desired_prints(graph, None),
        adopt: AdoptPolicy::Never,
        accepted: &BTreeSet::new(),
        outputs: &BTreeMap::new(),
        rollouts: &story.waves(),
        replace: &BTreeSet::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn waves_and_dependencies_hold_for_deletions_too(story in stories()) {
        let Some(graph) = story.graph() else { return Ok(()) };
        let state = story.state();
        let plan = planned(&story, &graph, &state);
        let schedule = Schedule::new(&plan, &graph, &state);
        let after: Vec<BTreeSet<StepId>> = (0..schedule.steps.len()).map(|it| following(&schedule, it)).collect();
        let step_of = |change: usize| schedule.steps.iter().position(|it| it.change == Some(change)).unwrap();
        let (steps, after) = (&schedule.steps, &after);
        let starts = |gate: usize| (0..steps.len()).filter(move |it| steps[*it].gates.contains(&gate));

        for (at, gate) in plan.gates.iter().enumerate() {
            let earlier: BTreeSet<&ClusterRef> = plan.gates[..at]
                .iter()
                .filter(|it| it.rollout == gate.rollout)
                .flat_map(|it| &it.clusters)
                .collect();
            for (idx, change) in plan.changes.iter().enumerate() {
                let (step, on) = (step_of(idx), &change.object_ref.cluster);
                if gate.clusters.contains(on) {
                    prop_assert!(starts(at).any(|start| after[start].contains(&step)), "{on} begins before its gate");
                }
                if earlier.contains(on) {
                    // A deletion waits for what depends on it, though it be of a later wave.
                    let follows = !applies(change) && starts(at).any(|start| after[start].contains(&step));
                    let kept = follows || starts(at).all(|start| after[step].contains(&start));
                    prop_assert!(kept, "{} is not awaited before wave {}", change.address, gate.wave);
                }
            }
        }

        let deleted = |object_ref: &ObjectRef| {
            let found = plan.changes.iter().position(|it| it.object_ref == *object_ref && !applies(it));
            found.map(step_of)
        };
        for (idx, one) in story.objects.iter().enumerate().filter(|(_, one)| one.recorded) {
            let Some(dependent) = deleted(manifest(idx, one.cluster).object_ref()) else { continue };
            for need in story.needs(idx) {
                let Some(dependency) = deleted(manifest(need, story.objects[need].cluster).object_ref()) else { continue };
                prop_assert!(after[dependent].contains(&dependency), "o{need} goes before o{idx}, which needs it");
            }
        }
    }
}
