//! What the garbage collector deletes because nothing is left that owns it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::object_ref::{ClusterRef, ObjectRef, Uid};
use crate::plan::{Action, Change, PlanInput};

/// An object on a cluster: only there a uid means something.
type Owner<'a> = (&'a ClusterRef, &'a Uid);

/// Returns the objects that go with deletions because all that owns them does, each with the position of the first such
/// change. An owner that was not seen may stay, and keeps what it owns.
///
/// What counts is who owns an object now, also if the plan takes that owner off it: nothing orders the one write before
/// the other, and the collector waits for neither.
///
/// # Source
/// Kubernetes, Garbage Collection: "Cascading deletion"; Owners and Dependents.
pub(super) fn owned<'a>(changes: &'a [Change], input: &PlanInput<'a>) -> BTreeMap<&'a ObjectRef, usize> {
    let mut taken = BTreeMap::new();
    let Some((live, _)) = input.observed else { return taken };
    let deleted = changes.iter().enumerate().filter_map(|(idx, change)| match &change.action {
        Action::Delete { uid } | Action::Replace { uid } => Some(((&change.object_ref.cluster, uid), idx)),
        _ => None,
    });
    let mut gone: HashMap<Owner<'a>, usize> = HashMap::new();
    let mut queue: VecDeque<Owner<'a>> = VecDeque::new();
    for (owner, change) in deleted {
        gone.insert(owner, change);
        queue.push_back(owner);
    }
    let mut dependents: HashMap<Owner<'a>, Vec<(&'a ObjectRef, &'a [Uid])>> = HashMap::new();
    let owners = live.clusters.values().flat_map(|cluster| &cluster.owners);
    for (object_ref, owners) in owners.filter(|_| !queue.is_empty()) {
        for uid in owners {
            dependents.entry((&object_ref.cluster, uid)).or_default().push((object_ref, owners));
        }
    }
    while let Some(owner) = queue.pop_front() {
        for (object_ref, owners) in dependents.get(&owner).into_iter().flatten() {
            let cluster = &object_ref.cluster;
            let with: Option<Vec<usize>> =
                owners.iter().map(|uid| gone.get(&(cluster, uid)).copied()).collect();
            let Some(change) = with.and_then(|with| with.into_iter().min()) else { continue };
            if taken.insert(*object_ref, change).is_some() {
                continue;
            }
            // What it owns itself may go as well.
            if let Some(found) = live.get(object_ref) {
                gone.entry((cluster, &found.uid)).or_insert(change);
                queue.push_back((cluster, &found.uid));
            }
        }
    }
    taken
}
