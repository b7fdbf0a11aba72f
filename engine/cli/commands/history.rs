//! `terrane history`

use engine_render::{Approvals, history_json, history_text};

use crate::args::History;
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};
use crate::terminal::print;

/// Shows the revisions of the state, the newest first.
pub fn run(wish: &History, context: Context) -> Result<Exit, CommandError> {
    let session = Session::offline(Workspace::open(&wish.target)?, context)?;
    let read = "read the history";
    let history = session.store.history(wish.limit).map_err(CommandError::while_(read))?;
    let approvals = match history.iter().any(|entry| entry.plan.is_some()) {
        true => session.store.approvals().map_err(CommandError::while_(read))?,
        false => Approvals::new(),
    };
    let told = match wish.json {
        true => history_json(&history, &approvals) + "\n",
        false => history_text(&history, &approvals),
    };
    print(&told)?;
    Ok(Exit::Success)
}
