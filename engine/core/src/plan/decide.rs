//! The decision: from what is desired, recorded, live and predicted to one change per object.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::address::Address;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::feasibility::{self, feasibility};
use crate::field_path::FieldPath;
use crate::fields::FieldSet;
use crate::graph::{ResourceGraph, pod_spec};
use crate::live::{Live, LiveObject};
use crate::manifest::Manifest;
use crate::mark::FieldManager;
use crate::object::{ManagerEntry, Object};
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::plan::diff::{allocated, diff, mark_unknown, show_creations};
use crate::plan::loss::losses;
use crate::plan::misplaced::misplaced;
use crate::plan::triage::{DesiredPrints, Triage};
use crate::plan::{
    Action, Change, Drifter, FieldChange, ObjectConflicts, Plan, PlannedOutput, Reason, Tier, faults,
};
use crate::ports::{ProviderError, Witness};
use crate::prediction::Prediction;
use crate::resource::{Body, Resource, Wait};
use crate::rollout::Rollout;
use crate::state::{ResourceRecord, State, path_hash};
use crate::value::Text;

/// What to do with objects that exist and are nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdoptPolicy {
    /// They are an error.
    #[default]
    Never,
    /// They become ours if no other environment's mark is on them.
    IfUnowned,
}

/// What a plan rests on.
pub struct PlanInput<'a> {
    /// Desired.
    pub graph: &'a ResourceGraph,
    /// All that the definition declares, of which [`Self::graph`] may be a part: what a part lacks may lie in the rest.
    pub whole: &'a ResourceGraph,
    /// Recorded.
    pub state: &'a State,
    /// Recorded, and no part of this plan: a deletion must not take it along.
    pub left_out: &'a BTreeMap<ObjectRef, ResourceRecord>,
    /// Live, with what the records settle; `None` plans from digests alone.
    pub observed: Option<(&'a Live, &'a Triage)>,
    /// Predicted, for what is not settled.
    pub predictions: &'a HashMap<ObjectRef, Prediction>,
    /// Digests of the desired manifests.
    pub desired: &'a DesiredPrints,
    /// What to do with objects that are nobody's.
    pub adopt: AdoptPolicy,
    /// Findings of feasibility that are not to be shown.
    pub accepted: &'a BTreeSet<Code>,
    /// Outputs of the definition.
    pub outputs: &'a BTreeMap<Text, PlannedOutput>,
    /// Clusters in waves.
    pub rollouts: &'a [Rollout],
    /// Resources whose objects are replaced although nothing of them changes.
    pub replace: &'a BTreeSet<Address>,
}

/// Decides what an apply would do.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let manager = input.state.lineage.field_manager();
    let mut planner = Planner {
        input,
        manager,
        changes: Vec::new(),
        changed: Vec::new(),
        refused: Vec::new(),
        unfinished: input.state.intents.iter().map(|intent| &intent.object_ref).collect(),
        conflicts: BTreeMap::new(),
        diagnostics: Diagnostics::default(),
    };
    for resource in input.graph.in_order() {
        planner.resource(resource);
    }
    planner.refusals();
    planner.removals();
    show_creations(&mut planner.changes, input.graph);
    planner.diagnostics.extend(losses(&planner.changes, input));
    planner.diagnostics.extend(misplaced(input));
    let subject = feasibility::Subject {
        graph: input.whole,
        changes: &planner.changes,
        live: input.observed.map(|(live, _)| live),
        predictions: input.predictions,
        accepted: input.accepted,
    };
    let concerns_the_part =
        |it: &Diagnostic| it.address.as_ref().is_none_or(|address| input.graph.at(address).is_some());
    planner.diagnostics.extend(feasibility(subject).into_iter().filter(concerns_the_part));
    let (outputs, new_outputs) = outputs::outputs(input);
    let mut plan = Plan {
        environment: input.state.environment.clone(),
        lineage: input.state.lineage.clone(),
        // A state that nothing was ever applied to decides nothing: created before or after, it is the same.
        serial: if input.state.epoch == 0 { 0 } else { input.state.serial },
        changes: planner.changes,
        conflicts: planner.conflicts.into_values().collect(),
        outputs,
        new_outputs,
        unobserved: unobserved(input),
        gates: Vec::new(),
        refresh_only: false,
        diagnostics: planner.diagnostics.sorted(),
    };
    let changed = plan.effective().map(|change| &change.object_ref.cluster).collect();
    let intended = input.state.intents.iter().map(|intent| &intent.object_ref.cluster).collect();
    plan.gates = input.rollouts.iter().flat_map(|rollout| rollout.gates(&changed, &intended)).collect();
    crate::plan::schedule::sort(&mut plan, input.graph, input.state);
    plan
}

fn unobserved(input: &PlanInput<'_>) -> BTreeMap<ClusterRef, Vec<String>> {
    let clusters = input.observed.iter().flat_map(|(live, _)| &live.clusters);
    let reasons = clusters.map(|(cluster, live)| {
        let words = live.unobserved.iter().map(|((kind, namespace), why)| match namespace {
            Some(namespace) => format!("{kind} in namespace {namespace}: {why}"),
            None => format!("{kind}: {why}"),
        });
        (cluster.clone(), words.collect::<Vec<_>>())
    });
    reasons.filter(|(_, words)| !words.is_empty()).collect()
}

struct Planner<'a> {
    input: &'a PlanInput<'a>,
    manager: FieldManager,
    changes: Vec<Change>,
    /// Positions of the updates and replacements in it.
    changed: Vec<usize>,
    /// What the server refuses as things are.
    refused: Vec<(&'a Resource, &'a ProviderError)>,
    /// What a run before meant to do, and did not see the end of.
    unfinished: HashSet<&'a ObjectRef>,
    /// Fields of other managers, by object.
    conflicts: BTreeMap<&'a ObjectRef, ObjectConflicts>,
    diagnostics: Diagnostics,
}

impl<'a> Planner<'a> {
    fn resource(&mut self, resource: &'a Resource) {
        let Body::Object(manifest) = &resource.body else {
            return self.push(resource, Action::Read, Reason::Deferred, Vec::new(), Tier::Record);
        };
        let object_ref = manifest.object_ref();
        let record = self.input.state.records.get(object_ref);
        let Some((live, triage)) = self.input.observed else {
            return self.offline(resource, manifest, record);
        };
        if triage.settled.contains(object_ref) {
            self.push(resource, Action::NoOp, Reason::Settled, Vec::new(), Tier::Record);
        } else if triage.unobserved.contains(object_ref) {
            let why = live.unobserved(object_ref).unwrap_or_default();
            self.diagnostics.push(faults::unobserved(resource, why));
        } else if triage.unknown.contains(object_ref) {
            self.diagnostics.push(faults::unknown_kind(resource, manifest, live));
        } else if let Some(prediction) = self.input.predictions.get(object_ref) {
            self.predicted(resource, manifest, record, prediction);
        } else {
            let error = ProviderError::Unreachable("it was not asked".into());
            self.diagnostics.push(faults::refused(resource, &error));
        }
    }

    /// The object is as desired; only its address may be another one, in its record or in its mark.
    fn unchanged(
        &mut self,
        resource: &Resource,
        record: &ResourceRecord,
        (live, before): (&LiveObject, &Object),
        prediction: &Prediction,
    ) {
        let marked = before.mark().is_none_or(|mark| mark.address == resource.address);
        if marked && record.address == resource.address {
            return self.push(resource, Action::NoOp, Reason::Settled, Vec::new(), prediction.tier);
        }
        let action = Action::Move { uid: live.uid.clone(), exceptions: prediction.exceptions.clone() };
        self.push(resource, action, Reason::Moved, Vec::new(), prediction.tier);
    }

    fn predicted(
        &mut self,
        resource: &'a Resource,
        manifest: &'a Manifest,
        record: Option<&ResourceRecord>,
        prediction: &'a Prediction,
    ) {
        self.refused.extend(prediction.refusal.as_ref().map(|error| (resource, error)));
        let after = match &prediction.result {
            Ok(after) => after,
            Err(error) => return self.diagnostics.push(faults::refused(resource, error)),
        };
        if let Some(why) = &prediction.forbidden {
            self.diagnostics.push(faults::not_asked(resource, why));
        }
        let live = self.input.observed.and_then(|(live, _)| live.get(manifest.object_ref()));
        let ours = |before: &Object| {
            before.is_marked_by(&self.input.state.lineage)
                || record.is_some_and(|record| record.uid == before.uid())
        };
        let imported = self.input.graph.imports(manifest.object_ref());
        match live.and_then(|live| Some((live, live.object.as_ref()?))) {
            Some((live, before)) if !ours(before) && imported => {
                self.import(resource, manifest, (live, before), (prediction, after));
            }
            Some((_, before)) if !ours(before) => {
                self.foreign(resource, manifest, Some(before), (prediction, after));
            }
            Some((live, before)) => {
                if before.is_terminating() {
                    self.diagnostics.push(faults::terminating(resource, before));
                }
                if self.stops_at_conflicts(resource, manifest, prediction) {
                    return;
                }
                self.existing(resource, manifest, record, (live, before), (prediction, after));
            }
            None if imported && record.is_none() => {
                self.diagnostics.push(faults::nothing_to_import(resource));
            }
            None if prediction.witness == Witness::Existed && is_of(&self.manager, prediction, after) => {
                self.diagnostics.push(faults::appeared(resource));
            }
            None if prediction.witness == Witness::Existed => {
                self.foreign(resource, manifest, None, (prediction, after));
            }
            None => {
                let reason = if record.is_some() { Reason::Missing } else { Reason::New };
                self.create(resource, reason, prediction.tier);
            }
        }
    }

    fn create(&mut self, resource: &Resource, reason: Reason, tier: Tier) {
        // What they show is filled in for all of them at once.
        self.push(resource, Action::Create, reason, Vec::new(), tier);
    }

    fn existing(
        &mut self,
        resource: &Resource,
        manifest: &Manifest,
        record: Option<&ResourceRecord>,
        (live, before): (&LiveObject, &Object),
        (prediction, after): (&Prediction, &Object),
    ) {
        let (fields, own) = self.differences(manifest, record, before, (prediction, after));
        let uid = live.uid.clone();
        if let Some(immutable) = &prediction.immutable {
            return self.replace(resource, uid, (fields, immutable), prediction.tier);
        }
        let update = Action::Update { uid: uid.clone(), exceptions: prediction.exceptions.clone() };
        if record.is_some_and(|record| record.uid != uid) {
            return self.push(resource, update, Reason::Replaced, fields, prediction.tier);
        }
        if fields.is_empty() {
            if let Some(record) = record.filter(|_| self.owns_the_same(before, &own, manifest)) {
                return self.unchanged(resource, record, (live, before), prediction);
            }
            return self.push(resource, update, Reason::Ownership, fields, prediction.tier);
        }
        let same_manifest = record.is_some_and(|record| self.is_desired(record, manifest));
        let drift = same_manifest && fields.iter().all(|field| field.drift.is_some());
        let reason = if drift { Reason::Drift } else { Reason::Changed };
        self.push(resource, update, reason, fields, prediction.tier);
    }

    /// Returns what an apply would change of a live object, and what would be ours of it then.
    fn differences(
        &self,
        manifest: &Manifest,
        record: Option<&ResourceRecord>,
        before: &Object,
        (prediction, after): (&Prediction, &Object),
    ) -> (Vec<FieldChange>, FieldSet) {
        let own = after
            .own_entry(&self.manager, manifest.api_version())
            .map(|entry| entry.fields)
            .unwrap_or_default();
        let mut unknown = manifest.hole_paths();
        let mut predicted = after.body().clone();
        if prediction.tier == Tier::Server {
            let allocated = allocated(before.body(), &predicted, &own);
            allocated.iter().for_each(|path| path.remove(&mut predicted));
            unknown.extend(allocated);
        }
        let mut fields = diff(before.body(), &predicted, &own, manifest.sensitive());
        mark_unknown(&mut fields, &unknown);
        self.blame(&mut fields, before, manifest, record);
        (fields, own)
    }

    fn is_desired(&self, record: &ResourceRecord, manifest: &Manifest) -> bool {
        self.input.desired.get(manifest.object_ref()).is_some_and(|desired| record.desired.proves(desired))
    }

    fn owns_the_same(&self, before: &Object, after: &FieldSet, manifest: &Manifest) -> bool {
        before.own_entry(&self.manager, manifest.api_version()).is_some_and(|entry| entry.fields == *after)
    }

    /// Says of each field who moved it. A field that no other manager claims, or that was not ours before, was
    /// moved by the definition, unless the definition has not changed: then somebody removed it, or wrote it
    /// under our name.
    fn blame(
        &self,
        fields: &mut [FieldChange],
        before: &Object,
        manifest: &Manifest,
        record: Option<&ResourceRecord>,
    ) {
        let mut others: Vec<ManagerEntry> =
            before.managers().into_iter().filter(|entry| entry.manager != self.manager.as_str()).collect();
        // The latest writer first.
        others.sort_by(|a, b| b.time.cmp(&a.time));
        let same_manifest = record.is_some_and(|record| self.is_desired(record, manifest));
        for field in fields {
            let ours = same_manifest || record.is_some_and(|record| recorded(record, &field.path));
            let writer = others.iter().find(|entry| entry.fields.touches(&field.path));
            field.drift = match writer {
                Some(entry) if ours => {
                    Some(Drifter { manager: entry.manager.clone(), time: entry.time.clone() })
                }
                _ if same_manifest => {
                    let latest = others.iter().find(|entry| entry.subresource.is_none());
                    Some(Drifter {
                        manager: latest.map_or_else(|| "unknown".into(), |entry| entry.manager.clone()),
                        time: latest.and_then(|entry| entry.time.clone()),
                    })
                }
                _ => None,
            };
        }
    }

    fn push(
        &mut self,
        resource: &Resource,
        action: Action,
        reason: Reason,
        fields: Vec<FieldChange>,
        tier: Tier,
    ) {
        let (mut action, reason) = self.triggered(resource, (action, reason));
        let waits = resource.wait != Wait::Never && self.unfinished.contains(resource.object_ref());
        if action == Action::NoOp && waits {
            action = Action::Await;
        }
        if matches!(action, Action::Replace { .. }) {
            // What others own goes with the object.
            self.conflicts.remove(resource.object_ref());
        }
        if matches!(action, Action::Update { .. } | Action::Replace { .. }) {
            self.changed.push(self.changes.len());
        }
        let restarts = match (&action, resource.manifest()) {
            (Action::Update { .. }, Some(manifest)) if restarts(manifest, &fields) => {
                vec![manifest.object_ref().clone()]
            }
            _ => Vec::new(),
        };
        let recorded = self.input.state.records.get(resource.object_ref()).map(|record| &record.address);
        let moved_from = recorded.filter(|_| resource.manifest().is_some() && action != Action::Create);
        self.changes.push(Change {
            address: resource.address.clone(),
            object_ref: resource.object_ref().clone(),
            moved_from: moved_from.filter(|from| **from != resource.address).cloned(),
            action,
            reason,
            fields,
            immutable: Vec::new(),
            takes_along: BTreeMap::new(),
            tier,
            restarts,
        });
    }
}

/// Tells whether nobody but this manager has written a predicted object, as when another run has just created
/// it. Controllers write through subresources, and an apply by force hides the managers that it overrules.
fn is_of(manager: &FieldManager, prediction: &Prediction, after: &Object) -> bool {
    let others = |entry: &ManagerEntry| entry.subresource.is_none() && entry.manager != manager.as_str();
    prediction.is_uncontested() && !after.managers().iter().any(others)
}

/// Tells whether pods are made anew: their template changes.
fn restarts(manifest: &Manifest, fields: &[FieldChange]) -> bool {
    let template = FieldPath::fields(["spec", "template"]);
    let kind = &manifest.object_ref().kind;
    !kind.is("batch", "CronJob")
        && pod_spec(manifest.body()).is_some()
        && fields.iter().any(|field| field.path.starts_with(&template))
}

/// Tells whether a field was ours at the last apply: itself, or one around it that is owned as a whole.
fn recorded(record: &ResourceRecord, path: &FieldPath) -> bool {
    let elements = path.elements();
    (1..=elements.len()).any(|len| {
        let around: FieldPath = elements[..len].iter().cloned().collect();
        record.fields.binary_search(&path_hash(&around)).is_ok()
    })
}

mod conflicts;
mod foreign;
mod offline;
mod outputs;
mod refused;
mod removals;
mod replace;

#[cfg(test)]
mod tests;
