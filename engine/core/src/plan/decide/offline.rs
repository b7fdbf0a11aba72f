//! Decisions without a cluster: the definition against the records' digests.

use super::Planner;
use crate::manifest::Manifest;
use crate::plan::ownership::Exceptions;
use crate::plan::{Action, Reason, Tier, faults};
use crate::resource::Resource;
use crate::state::ResourceRecord;

impl Planner<'_> {
    /// Tells whether an object changes, not how.
    pub(super) fn offline(
        &mut self,
        resource: &Resource,
        manifest: &Manifest,
        record: Option<&ResourceRecord>,
    ) {
        let Some(record) = record else {
            if self.input.graph.imports(manifest.object_ref()) {
                let why = "Only its cluster can tell what an import does.";
                return self.diagnostics.push(faults::unobserved(resource, why));
            }
            return self.create(resource, Reason::New, Tier::Client);
        };
        let same = manifest.holes().is_empty() && self.is_desired(record, manifest);
        if same && record.address == resource.address {
            return self.push(resource, Action::NoOp, Reason::Settled, Vec::new(), Tier::Record);
        }
        let uid = record.uid.clone();
        if same {
            let action = Action::Move { uid, exceptions: Exceptions::default() };
            return self.push(resource, action, Reason::Moved, Vec::new(), Tier::Record);
        }
        let action = Action::Update { uid, exceptions: Exceptions::default() };
        self.push(resource, action, Reason::Changed, Vec::new(), Tier::Client);
    }
}
