//! Plans of which only the state's part is carried out.

use crate::diagnostic::Diagnostics;
use crate::plan::{Action, Plan, Reason};
use crate::state::State;

impl Plan {
    /// Returns the plan that brings the state up to date and writes to no cluster: records of objects that are gone are
    /// dropped. What else was changed outside of Terrane stays in the plan to be seen, and is left to the next plan;
    /// so is what differs from the definition.
    #[must_use]
    pub fn refresh_only(mut self, state: &State) -> Self {
        for change in &mut self.changes {
            change.action = match change.reason {
                Reason::Missing => Action::Forget,
                _ => Action::NoOp,
            };
            if change.reason == Reason::Missing {
                change.fields.clear();
            }
            change.restarts.clear();
        }
        self.conflicts.clear();
        self.gates.clear();
        self.outputs.clear();
        self.new_outputs = state.outputs.clone();
        // What stands in the way of changes is of no concern where there are none.
        self.diagnostics = Diagnostics::default();
        self.refresh_only = true;
        self
    }
}
