//! `terrane show`

use std::path::Path;

use engine_render::{escape, state_json, state_list};

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::saved_plan::SavedPlan;
use crate::session::{Context, Session, Workspace};

/// Shows a saved plan, or the objects that the state records.
pub fn run(path: &Path, json: bool, context: Context) -> Result<Exit, CommandError> {
    if path.is_file() {
        let saved = SavedPlan::read(path)?;
        if json {
            println!("{}", saved.plan);
        } else {
            // The file may come from anywhere.
            saved.text.lines().for_each(|line| println!("{}", escape(line)));
        }
        return Ok(Exit::Success);
    }
    let session = Session::offline(Workspace::open(&Target::at(path))?, context)?;
    match session.stored {
        None => println!("Nothing has been applied yet."),
        Some(stored) if json => println!("{}", state_json(&stored.state)),
        Some(stored) => print!("{}", state_list(&stored.state)),
    }
    Ok(Exit::Success)
}
