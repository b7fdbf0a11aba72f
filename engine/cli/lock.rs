//! What the commands say about a state that another run holds.

use engine_converge::apply::ApplyError;
use engine_core::state::Holder;
use engine_render::escape;

use crate::error::CommandError;
use crate::session::Session;
use crate::terminal::say;

/// Checks that nobody holds the state: planning on it would be in vain.
///
/// # Errors
/// Somebody holds it; the error says who and how to release the lock.
pub fn require_unlocked(session: &Session) -> Result<(), CommandError> {
    match holder(session) {
        Some(holder) => Err(locked(session, holder.clone())),
        None => Ok(()),
    }
}

/// Warns that another run may be changing what is planned on.
pub fn warn_if_locked(session: &Session) {
    if let Some(Holder { run, who, operation, since }) = holder(session) {
        let text = format!(
            "warning: run {run} holds the state since {since} ({operation} by {who}); what it changes may not show here"
        );
        say(&format!("{}\n", escape(&text)));
    }
}

/// Returns the error of a state that somebody holds.
pub fn locked(session: &Session, holder: Holder) -> CommandError {
    let directory = session.workspace.home().display().to_string();
    let directory = if directory == "." { String::new() } else { format!(" {directory}") };
    let unlock = format!("terrane state unlock {}{directory}", holder.run);
    CommandError::while_("take the state")(ApplyError::Locked(Box::new(holder)))
        .hint(format!("if that run is dead, release its lock with `{unlock}`"))
}

fn holder(session: &Session) -> Option<&Holder> {
    session.stored.as_ref()?.state.holder.as_ref()
}
