//! Objects that are deleted and created again: for a field that cannot change, or with another resource.

use super::Planner;
use crate::address::Address;
use crate::field_path::FieldPath;
use crate::object_ref::Uid;
use crate::plan::{Action, Change, FieldChange, Reason, Tier, faults};
use crate::resource::Resource;

impl Planner<'_> {
    /// Replaces an object for the fields that the server names.
    pub(super) fn replace(
        &mut self,
        resource: &Resource,
        uid: Uid,
        (fields, immutable): (Vec<FieldChange>, &[String]),
        tier: Tier,
    ) {
        if let Some(why) = refusal(resource) {
            return self.diagnostics.push(faults::immutable(resource, (&fields, immutable), why));
        }
        self.push(resource, Action::Replace { uid }, Reason::Immutable, fields, tier);
        if let Some(change) = self.changes.last_mut() {
            change.immutable = immutable.to_vec();
        }
    }

    /// Turns what would be done with an object into its replacement, if that is asked for or a resource that its
    /// `lifecycle` names changes. Resources are decided in order of dependency, so that one is decided already.
    ///
    /// # Source
    /// Terraform, The lifecycle meta-argument, `replace_triggered_by`: updates and replacements trigger it.
    pub(super) fn triggered(
        &mut self,
        resource: &Resource,
        (action, reason): (Action, Reason),
    ) -> (Action, Reason) {
        let triggers = &resource.lifecycle.replace_triggered_by;
        let (cause, why) = match triggers.iter().find(|trigger| self.fires(trigger)) {
            _ if self.input.replace.contains(&resource.address) => {
                ("it is asked for".into(), Reason::Requested)
            }
            Some((address, _)) => (format!("{address} changes"), Reason::Triggered),
            None => return (action, reason),
        };
        let uid = match &action {
            Action::Update { uid, .. } | Action::Move { uid, .. } => Some(uid.clone()),
            Action::NoOp => {
                let record = self.input.state.records.get(resource.object_ref());
                record.map(|record| record.uid.clone())
            }
            _ => None,
        };
        let Some(uid) = uid else { return (action, reason) };
        if let Some(refusal) = refusal(resource) {
            self.diagnostics.push(faults::not_replaced(resource, &cause, refusal));
            return (action, reason);
        }
        (Action::Replace { uid }, why)
    }

    fn fires(&self, (address, field): &(Address, FieldPath)) -> bool {
        let concerns = |change: &Change| {
            let changes = |it: &FieldChange| it.path.starts_with(field) || field.starts_with(&it.path);
            let replaced = matches!(change.action, Action::Replace { .. });
            change.address.is_within(address)
                && (replaced || field.elements().is_empty() || change.fields.iter().any(changes))
        };
        self.changed.iter().any(|idx| concerns(&self.changes[*idx]))
    }
}

/// Says why an object must not be deleted to be created again.
fn refusal(resource: &Resource) -> Option<&'static str> {
    let kind = &resource.object_ref().kind;
    let loses_data = kind.is("", "Namespace")
        || kind.is("", "PersistentVolumeClaim")
        || kind.is("apiextensions.k8s.io", "CustomResourceDefinition");
    match (loses_data, resource.lifecycle.prevent_destroy) {
        (true, _) => Some("Replacing it would delete data that cannot be brought back."),
        (false, true) => Some("Its lifecycle has prevent_destroy."),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests;
