//! Fields of other managers on an object that is ours.

use super::Planner;
use crate::manifest::Manifest;
use crate::plan::{FieldConflict, ObjectConflicts, faults};
use crate::prediction::Prediction;
use crate::resource::Resource;

impl<'a> Planner<'a> {
    /// Keeps the conflicts of an object of ours, and tells whether they stop it.
    pub(super) fn stops_at_conflicts(
        &mut self,
        resource: &Resource,
        manifest: &'a Manifest,
        prediction: &Prediction,
    ) -> bool {
        if prediction.is_uncontested() {
            return false;
        }
        let object_ref = manifest.object_ref();
        let (address, fields) = (resource.address.clone(), prediction.conflicts.clone());
        let conflicts = ObjectConflicts { address, object_ref: object_ref.clone(), fields };
        self.conflicts.insert(object_ref, conflicts);
        let fatal: Vec<&FieldConflict> = prediction.fatal().collect();
        if !fatal.is_empty() {
            self.diagnostics.push(faults::conflicts(resource, manifest, &fatal));
        }
        !fatal.is_empty()
    }
}
