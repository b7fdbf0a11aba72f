//! What the server refuses as things are, and may accept once other changes of the plan are done.

use std::collections::HashSet;

use super::Planner;
use crate::address::Address;
use crate::manifest::Manifest;
use crate::plan::{Action, faults};
use crate::ports::ProviderError;

impl Planner<'_> {
    /// Judges what the server refuses: an error, unless the object comes after something that this plan changes, such
    /// as the quota that it exceeds or the policy that it violates. What does not fit its schema is an error unless
    /// the plan changes the definition of its kind.
    pub(super) fn refusals(&mut self) {
        if self.refused.is_empty() {
            return;
        }
        let changing: HashSet<&Address> =
            self.changes.iter().filter(|it| it.action != Action::NoOp).map(|it| &it.address).collect();
        let graph = self.input.graph;
        let after = graph.after(|resource| changing.contains(&resource.address));
        let after: HashSet<&Address> = after.into_iter().map(|idx| &graph.resources()[idx].address).collect();
        let changing_manifests = changing.iter().filter_map(|address| graph.at(address)?.manifest());
        let kinds: HashSet<_> = changing_manifests.filter_map(Manifest::defined_kind).collect();
        let (open, fatal): (Vec<_>, Vec<_>) = self.refused.drain(..).partition(|(resource, error)| {
            let untyped = matches!(error, ProviderError::Invalid(invalid) if invalid.is_untyped);
            after.contains(&resource.address) && (!untyped || kinds.contains(&resource.object_ref().kind))
        });
        let fatal_addresses: HashSet<&Address> =
            fatal.iter().map(|(resource, _)| &resource.address).collect();
        self.changes.retain(|change| !fatal_addresses.contains(&change.address));
        self.diagnostics.extend(open.iter().map(|(resource, error)| faults::not_yet(resource, error)));
        self.diagnostics.extend(fatal.iter().map(|(resource, error)| faults::refused(resource, error)));
    }
}
