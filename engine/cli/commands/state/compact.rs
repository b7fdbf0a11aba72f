//! `terrane state compact`

use engine_render::compacted_json;

use super::{approved, nothing_applied, open};
use crate::args::{Approving, Target};
use crate::error::{CommandError, Exit};
use crate::lock::require_unlocked;
use crate::session::Context;
use crate::terminal::{line, say};

/// Begins the chain of revisions anew.
pub fn run(
    target: &Target,
    keep: usize,
    approving: Approving,
    context: Context,
) -> Result<Exit, CommandError> {
    let session = open(target, context)?;
    require_unlocked(&session)?;
    let stored = session.stored.as_ref().ok_or_else(nothing_applied)?;
    let (serial, environment) = (stored.state.serial, &stored.state.environment);
    say(&format!(
        "The chain of environment {environment} begins anew behind serial {serial}, with its {keep} newest \
         revisions. The old chain stays as refs/terrane/archive/{environment}/{serial}.\n"
    ));
    if !approved(approving, "Do you want to begin the chain anew?")? {
        return Ok(Exit::Incomplete);
    }
    let compacted = session.store.compact(stored, keep).map_err(CommandError::while_("compact the state"))?;
    let compacted = compacted.ok_or_else(|| {
        CommandError::new(format!("the chain has no more than {keep} revisions: nothing was done"))
    })?;
    match approving.json {
        true => line(compacted_json(&compacted))?,
        false => line(format_args!(
            "The state is at serial {}; the chain has {} revisions, the old one is kept in {}.",
            compacted.stored.state.serial, compacted.revisions, compacted.archive
        ))?,
    }
    Ok(Exit::Success)
}
