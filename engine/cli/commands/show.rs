//! `terrane show`

use engine_render::{escape, state_json, state_list};

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::saved_plan::SavedPlan;
use crate::session::{Context, Session, Workspace};
use crate::terminal::{line, print};

/// Shows a saved plan, or the objects that the state records.
pub fn run(target: &Target, json: bool, context: Context) -> Result<Exit, CommandError> {
    let path = &target.directory;
    if path.is_file() {
        let saved = SavedPlan::read(path)?;
        if json {
            line(saved.plan)?;
        } else {
            // The file may come from anywhere.
            for text in saved.text.lines() {
                line(escape(text))?;
            }
        }
        return Ok(Exit::Success);
    }
    let session = Session::offline(Workspace::open(target)?, context)?;
    match session.stored {
        None => line("Nothing has been applied yet.")?,
        Some(stored) if json => line(state_json(&stored.state))?,
        Some(stored) => print(&state_list(&stored.state))?,
    }
    Ok(Exit::Success)
}
