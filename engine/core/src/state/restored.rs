//! An older state on top of a newer one.

use std::collections::BTreeMap;

use crate::object_ref::ObjectRef;
use crate::plan::ActionKind;
use crate::state::{Intent, State};

impl State {
    /// Returns the state that brings the content of this one back after `tip`, by nobody's hand.
    ///
    /// Nothing is forgotten over it: what `tip` records or intends, and this one does not, stays intended, so that
    /// the next plan looks for it on the clusters and the mark of each object tells whose it is.
    #[must_use]
    pub fn restored_after(&self, tip: &Self) -> Self {
        let forgotten = tip.records.iter().map(|(object_ref, record)| Intent {
            object_ref: object_ref.clone(),
            address: record.address.clone(),
            action: ActionKind::Create,
            api_version: record.api_version.clone(),
            dependencies: record.dependencies.clone(),
        });
        let open = self.intents.iter().chain(&tip.intents).cloned();
        let mut intents: BTreeMap<ObjectRef, Intent> = BTreeMap::new();
        for intent in open.chain(forgotten).filter(|it| !self.records.contains_key(&it.object_ref)) {
            intents.entry(intent.object_ref.clone()).or_insert(intent);
        }
        // Writes that were under way to recorded objects need no trace: a record settles nothing that was written since.
        let mut clusters = tip.clusters.clone();
        clusters.extend(self.clusters.clone());
        Self {
            serial: tip.serial + 1,
            epoch: tip.epoch.max(self.epoch) + 1,
            holder: None,
            intents: intents.into_values().collect(),
            clusters,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
