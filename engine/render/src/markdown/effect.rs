//! What a merge causes, as against what is pending anyway.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use engine_core::field_path::FieldPath;
use engine_core::object_ref::ObjectRef;
use engine_core::plan::{ActionKind, Change, FieldChange, FieldConflict, OutputChange, Plan};

/// The difference of two plans.
pub(super) struct Effect<'a> {
    /// Changes that only the merged definition makes, in order of apply. An update shows only the fields that
    /// are not pending already.
    pub changes: Vec<Cow<'a, Change>>,
    /// Changes that happen with or without the merge.
    pub anyway: Vec<&'a Change>,
    /// Changes that happen only without the merge.
    pub withdrawn: Vec<&'a Change>,
    /// Outputs that only the merged definition changes.
    pub outputs: Vec<&'a OutputChange>,
    plan: &'a Plan,
}

impl<'a> Effect<'a> {
    /// Compares the plan of the merged definition with the one of the merge base.
    pub(super) fn of(plan: &'a Plan, pending: Option<&'a Plan>) -> Self {
        let base: HashMap<&ObjectRef, &Change> = pending
            .into_iter()
            .flat_map(Plan::effective)
            .map(|change| (&change.object_ref, change))
            .collect();
        let mut effect = Self {
            changes: Vec::new(),
            anyway: Vec::new(),
            withdrawn: Vec::new(),
            outputs: Vec::new(),
            plan,
        };
        let mut met: HashSet<&ObjectRef> = HashSet::new();
        for change in plan.effective() {
            met.insert(&change.object_ref);
            match base.get(&change.object_ref) {
                None => effect.changes.push(Cow::Borrowed(change)),
                Some(other) if same(change, other) => effect.anyway.push(change),
                Some(other) => effect.changes.push(beyond(change, other)),
            }
        }
        let only_base = pending.into_iter().flat_map(Plan::effective);
        effect.withdrawn = only_base.filter(|change| !met.contains(&change.object_ref)).collect();
        let pending_outputs = pending.map_or(&[] as &[_], |plan| plan.outputs.as_slice());
        effect.outputs = plan.outputs.iter().filter(|output| !pending_outputs.contains(output)).collect();
        effect
    }

    /// Returns the conflicts of an object that the merge changes.
    pub(super) fn conflicts_of(&self, object_ref: &ObjectRef) -> &'a [FieldConflict] {
        self.plan.conflicts_of(object_ref)
    }
}

fn same(change: &Change, other: &Change) -> bool {
    change.action.kind() == other.action.kind()
        && change.fields == other.fields
        && change.address == other.address
        && change.moved_from == other.moved_from
}

/// Returns an update without the fields that the base changes alike.
fn beyond<'a>(change: &'a Change, other: &Change) -> Cow<'a, Change> {
    if change.action.kind() != ActionKind::Update || other.action.kind() != ActionKind::Update {
        return Cow::Borrowed(change);
    }
    let pending: BTreeMap<&FieldPath, &FieldChange> =
        other.fields.iter().map(|field| (&field.path, field)).collect();
    let more = |field: &&FieldChange| pending.get(&field.path) != Some(field);
    let fields: Vec<FieldChange> = change.fields.iter().filter(more).cloned().collect();
    if fields.is_empty() || fields.len() == change.fields.len() {
        return Cow::Borrowed(change);
    }
    Cow::Owned(Change { fields, ..change.clone() })
}
