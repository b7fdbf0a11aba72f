//! `terrane approve`

use engine_core::digest::Digest;
use engine_render::escape;

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};
use crate::terminal::line;

/// Records that the user agrees to what a plan decides. Asks no cluster.
pub fn run(decision: &Digest, target: &Target, context: Context) -> Result<Exit, CommandError> {
    let session = Session::offline(Workspace::open(target)?, context)?;
    let approval = session.store.approve(decision).map_err(CommandError::while_("record the approval"))?;
    line(format_args!(
        "Decision {decision} is approved by {} since {}.",
        escape(&approval.who),
        escape(&approval.time)
    ))?;
    Ok(Exit::Success)
}
