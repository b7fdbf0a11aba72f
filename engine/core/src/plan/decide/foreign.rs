//! Objects that exist and are not ours: refused, adopted or imported.

use super::{AdoptPolicy, Planner};
use crate::live::LiveObject;
use crate::manifest::Manifest;
use crate::object::Object;
use crate::plan::diff::creation;
use crate::plan::{Action, Reason, faults};
use crate::prediction::Prediction;
use crate::resource::Resource;
use crate::value::Text;

impl<'a> Planner<'a> {
    /// An object that exists and is not ours: we never applied it under our mark, and no record has its uid.
    pub(super) fn foreign(
        &mut self,
        resource: &Resource,
        manifest: &Manifest,
        before: Option<&Object>,
        (prediction, after): (&Prediction, &Object),
    ) {
        let others = self.others(before, (prediction, after));
        let environment = self.other_environment(&others, before);
        let is_copy = before.and_then(Object::mark).is_some() && environment.is_none();
        let may_adopt = self.input.adopt == AdoptPolicy::IfUnowned && environment.is_none() && !is_copy;
        // Adoption never takes a field from its manager: it is applied without force.
        if may_adopt && prediction.is_uncontested() {
            let fields = creation(manifest.body(), &[], manifest.sensitive());
            let action = Action::Adopt { uid: after.uid() };
            return self.push(resource, action, Reason::New, fields, prediction.tier);
        }
        let whose = match (environment, others.first()) {
            (Some(whose), _) => {
                return self.diagnostics.push(faults::foreign(resource, whose).hint(faults::LET_GO));
            }
            (None, _) if is_copy => return self.diagnostics.push(faults::copy(resource)),
            (None, Some(name)) => format!("Its fields are managed by {name}."),
            (None, None) => "Nobody is recorded as its manager.".into(),
        };
        let fault = faults::foreign(resource, whose);
        self.diagnostics.push(if may_adopt { fault.hint(faults::UNLIKE) } else { fault });
    }

    /// An object that an `import` block names becomes ours with what is declared of it. From others than
    /// environments and appliers its fields are taken, as from one of ours.
    pub(super) fn import(
        &mut self,
        resource: &Resource,
        manifest: &'a Manifest,
        (live, before): (&LiveObject, &Object),
        (prediction, after): (&Prediction, &Object),
    ) {
        let others = self.others(Some(before), (prediction, after));
        if let Some(whose) = self.other_environment(&others, Some(before)) {
            return self.diagnostics.push(faults::foreign(resource, whose).hint(faults::LET_GO));
        }
        if self.stops_at_conflicts(resource, manifest, prediction) {
            return;
        }
        let (fields, _) = self.differences(manifest, None, before, (prediction, after));
        if let Some(immutable) = &prediction.immutable {
            let why = "An object is not replaced while it is imported.";
            return self.diagnostics.push(faults::immutable(resource, (&fields, immutable), why));
        }
        let action = Action::Import { uid: live.uid.clone(), exceptions: prediction.exceptions.clone() };
        self.push(resource, action, Reason::New, fields, prediction.tier);
    }

    /// Returns the managers of an object that are not ours.
    fn others(&self, before: Option<&Object>, (prediction, after): (&Prediction, &Object)) -> Vec<Text> {
        let in_the_way = prediction.conflicts.iter().map(|conflict| conflict.manager.clone());
        // What is taken by force no longer shows who held it.
        let entries = after.managers().into_iter().chain(before.map(Object::managers).unwrap_or_default());
        let others = in_the_way.chain(entries.map(|entry| entry.manager));
        others.filter(|name| *name != self.manager.as_str()).collect()
    }

    /// Says which other environment an object belongs to.
    fn other_environment(&self, others: &[Text], before: Option<&Object>) -> Option<String> {
        if let Some(name) = others.iter().find(|name| name.starts_with("terrane-")) {
            return Some(format!("It belongs to another environment (field manager {name})."));
        }
        let mark = before.and_then(Object::mark)?;
        let other = mark.lineage != self.input.state.lineage;
        other.then(|| "It has the mark of another environment.".into())
    }
}

#[cfg(test)]
mod tests;
