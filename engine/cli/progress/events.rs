//! How a run goes, for programs: a line of JSON for each thing that happens.

use std::time::Duration;

use engine_converge::apply::Progress;
use engine_core::plan::Change;
use engine_core::plan::outcome::Outcome;
use engine_core::rollout::Gate;
use engine_render::{RunEvent, event_json};

use crate::error::CommandError;
use crate::terminal::{line, say};

/// Prints to stdout what happens.
pub struct Events;

impl Events {
    /// Prints an event that happens now.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print(event: RunEvent<'_>) -> Result<(), CommandError> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        line(event_json(event, &now.to_string()))
    }
}

/// What is happening does not end because nobody can be told; the exit code tells.
fn tell(event: RunEvent<'_>) {
    if Events::print(event).is_err() {
        say("an event could not be printed\n");
    }
}

impl Progress for Events {
    fn begun(&self, change: &Change) {
        tell(RunEvent::Begun(change));
    }

    fn waiting(&self, change: &Change, missing: &str) {
        tell(RunEvent::Waiting(change, missing));
    }

    fn soaking(&self, gate: &Gate, soak: Duration) {
        tell(RunEvent::Soaking(gate, soak));
    }

    fn ended(&self, change: &Change, outcome: &Outcome) {
        tell(RunEvent::Ended(change, outcome));
    }
}
