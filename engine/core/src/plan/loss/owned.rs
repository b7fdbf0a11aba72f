//! What the garbage collector deletes because nothing is left that owns it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::object::Object;
use crate::object_ref::{ClusterRef, ObjectRef, Uid};
use crate::plan::{Action, Change, PlanInput};

/// An object on a cluster: only there a uid means something.
type Owner<'a> = (&'a ClusterRef, &'a Uid);

/// An object that others own.
struct Dependent<'a> {
    object_ref: &'a ObjectRef,
    /// As it is: a replaced owner is deleted before the plan writes what depends on it.
    now: &'a [Uid],
    /// As the plan leaves it: what stops depending on an owner is written before that one is deleted.
    then: Vec<Uid>,
}

impl Dependent<'_> {
    /// Returns the first change that takes the object along, once all its owners go.
    fn goes_with(&self, gone: &HashMap<Owner<'_>, usize>, changes: &[Change]) -> Option<usize> {
        let find = |uid| gone.get(&(&self.object_ref.cluster, uid)).copied();
        let now = self
            .now
            .iter()
            .map(|uid| find(uid).filter(|change| matches!(changes[*change].action, Action::Replace { .. })));
        let now: Option<Vec<usize>> = now.collect();
        let then: Option<Vec<usize>> = self.then.iter().map(find).collect();
        [now, then].into_iter().flatten().flatten().min()
    }
}

/// Returns the objects that go with deletions because all that owns them does, each with the position of the change.
/// An owner that was not seen may stay, and keeps what it owns.
///
/// # Source
/// Kubernetes, Garbage Collection: "Cascading deletion"; Owners and Dependents.
pub(super) fn owned<'a>(changes: &'a [Change], input: &PlanInput<'a>) -> BTreeMap<&'a ObjectRef, usize> {
    let mut taken = BTreeMap::new();
    let Some((live, _)) = input.observed else { return taken };
    let mut gone: HashMap<Owner<'a>, usize> = HashMap::new();
    let mut queue: VecDeque<Owner<'a>> = VecDeque::new();
    for (idx, change) in changes.iter().enumerate() {
        if let Action::Delete { uid } | Action::Replace { uid } = &change.action {
            gone.insert((&change.object_ref.cluster, uid), idx);
            queue.push_back((&change.object_ref.cluster, uid));
        }
    }
    if queue.is_empty() {
        return taken;
    }
    let owners = live.clusters.values().flat_map(|cluster| &cluster.owners);
    let dependents: Vec<Dependent<'a>> = owners
        .map(|(object_ref, now)| {
            let predicted = input.predictions.get(object_ref).and_then(|it| it.result.as_ref().ok());
            Dependent { object_ref, now, then: predicted.map_or_else(|| now.clone(), Object::owners) }
        })
        .collect();
    let mut by_owner: HashMap<Owner<'_>, Vec<&Dependent<'a>>> = HashMap::new();
    for dependent in &dependents {
        for uid in dependent.now.iter().chain(&dependent.then) {
            by_owner.entry((&dependent.object_ref.cluster, uid)).or_default().push(dependent);
        }
    }
    while let Some(owner) = queue.pop_front() {
        for dependent in by_owner.get(&owner).into_iter().flatten() {
            let Some(change) = dependent.goes_with(&gone, changes) else { continue };
            if taken.insert(dependent.object_ref, change).is_some() {
                continue;
            }
            // What it owns itself may go as well.
            if let Some(found) = live.get(dependent.object_ref) {
                let own = (&dependent.object_ref.cluster, &found.uid);
                gone.entry(own).or_insert(change);
                queue.push_back(own);
            }
        }
    }
    taken
}
