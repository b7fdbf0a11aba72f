//! What is recorded, or marked as ours, and no longer desired: it is deleted, or let go.

use std::collections::{BTreeMap, HashSet};

use super::Planner;
use crate::address::Address;
use crate::live::{Live, LiveObject};
use crate::object::Object;
use crate::object_ref::{ObjectRef, Uid};
use crate::plan::{Action, Change, Reason, Tier, faults};
use crate::state::{ResourceRecord, State};

impl Planner<'_> {
    /// Deletes what is recorded, or marked as ours, and no longer desired.
    pub(super) fn removals(&mut self) {
        let input = self.input;
        let gone = |object_ref: &ObjectRef| input.graph.find(object_ref).is_none();
        for (object_ref, record) in input.state.records.iter().filter(|(object_ref, _)| gone(object_ref)) {
            self.removal(object_ref, record);
        }
        let Some((live, _)) = input.observed else { return };
        let mut orphans: Vec<(&ObjectRef, &LiveObject)> = live
            .clusters
            .values()
            .flat_map(|cluster| &cluster.objects)
            .filter(|(object_ref, _)| gone(object_ref) && !input.state.records.contains_key(*object_ref))
            .collect();
        orphans.sort_by_key(|(object_ref, _)| *object_ref);
        self.report_unrecorded(live);
        for (object_ref, live) in orphans {
            let ours = live.object.as_ref().filter(|object| object.is_marked_by(&input.state.lineage));
            if let Some(mark) = ours.and_then(Object::mark) {
                self.part(mark.address, object_ref, live.uid.clone());
            }
        }
    }

    /// Whatever this environment has applied is recorded, or intended by the newest revision of its state. If something is
    /// not, the state is older than the clusters.
    fn report_unrecorded(&mut self, live: &Live) {
        let State { records, intents, lineage, .. } = self.input.state;
        let intended: HashSet<&ObjectRef> = intents.iter().map(|intent| &intent.object_ref).collect();
        let is_known = |object_ref| records.contains_key(object_ref) || intended.contains(object_ref);
        let objects = live.clusters.values().flat_map(|cluster| &cluster.objects);
        let is_ours = |live: &LiveObject| live.object.as_ref().is_some_and(|it| it.is_marked_by(lineage));
        let unknown = objects.filter(|(object_ref, live)| is_ours(live) && !is_known(object_ref));
        let mut unknown: Vec<&ObjectRef> = unknown.map(|(object_ref, _)| object_ref).collect();
        unknown.sort();
        if !unknown.is_empty() {
            self.diagnostics.push(faults::unrecorded(&unknown));
        }
    }

    fn removal(&mut self, object_ref: &ObjectRef, record: &ResourceRecord) {
        let address = record.address.clone();
        let live = match self.input.observed {
            None => None,
            Some((live, _)) => {
                let why = match live.clusters.get(&object_ref.cluster) {
                    Some(_) => live.unobserved(object_ref),
                    None => Some("its cluster is not connected"),
                };
                if let Some(why) = why {
                    return self.diagnostics.push(faults::kept(object_ref, address, why));
                }
                Some(live.get(object_ref).filter(|live| live.uid == record.uid))
            }
        };
        match live {
            // Gone already, or another object of that name now: not ours to delete.
            Some(None) => self.push_gone(address, object_ref, Action::Forget, Reason::Missing),
            _ if record.prevent_destroy && !self.input.graph.refactoring().forgets(&address) => {
                self.diagnostics.push(faults::protected(object_ref, address));
            }
            _ => self.part(address, object_ref, record.uid.clone()),
        }
    }

    /// Lets an object go if a `removed` block says so, else deletes it.
    fn part(&mut self, address: Address, object_ref: &ObjectRef, uid: Uid) {
        let refactoring = self.input.graph.refactoring();
        if refactoring.forgets(&address) {
            return self.push_gone(address, object_ref, Action::Release { uid }, Reason::Removed);
        }
        let current = refactoring.current(&address);
        let declared = self.input.graph.at(&current).filter(|_| current != address);
        if let Some(declared) = declared {
            self.diagnostics.push(faults::not_moved(object_ref, &address, declared));
        }
        self.push_gone(address, object_ref, Action::Delete { uid }, Reason::Removed);
    }

    fn push_gone(&mut self, address: Address, object_ref: &ObjectRef, action: Action, reason: Reason) {
        self.changes.push(Change {
            address,
            object_ref: object_ref.clone(),
            action,
            reason,
            moved_from: None,
            fields: Vec::new(),
            immutable: Vec::new(),
            takes_along: BTreeMap::new(),
            tier: Tier::Record,
            restarts: Vec::new(),
        });
    }
}
