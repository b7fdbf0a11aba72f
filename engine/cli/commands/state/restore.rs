//! `terrane state restore`

use engine_core::ports::{StateError, Stored, Tip};
use engine_core::state::{Difference, State};
use engine_render::{difference_text, stored_json};

use super::approved;
use super::inspect::find;
use crate::args::{Approving, Target};
use crate::error::{CommandError, Exit};
use crate::lock::require_free;
use crate::session::{Context, Session, Workspace};
use crate::terminal::{line, say};

/// Brings back a revision: shows what changes, asks, and writes.
pub fn run(
    revision: &str,
    target: &Target,
    approving: Approving,
    context: Context,
) -> Result<Exit, CommandError> {
    // What was lost is refused by all that reads the state as a whole.
    let session = Session::unread(Workspace::open(target)?, context)?;
    let read = session.store.latest();
    let tip = session.store.unchecked().map_err(CommandError::while_("read the state"))?;
    let wanted = find(&session, revision)?;
    if let Err(error) = &read {
        say(&format!("the state as it is: {}\n", engine_render::escape(&error.to_string())));
    }
    let is_newest = tip.as_ref().is_some_and(|tip| tip.revision == wanted.revision);
    let question = match (is_newest, &read) {
        (true, Err(StateError::Rewritten(_))) => {
            say(&accepted(&wanted));
            "Do you want to go on with what the ref has now?"
        }
        _ => {
            check(&session, tip.as_ref(), &wanted)?;
            say(&effect(tip.as_ref(), &wanted));
            "Do you want to bring this revision back?"
        }
    };
    if !approved(approving, question)? {
        return Ok(Exit::Incomplete);
    }
    let summary = format!("state restore: serial {}", wanted.state.serial);
    let expected = tip.as_ref().map(|tip| &tip.revision);
    let stored = session.store.restore(expected, &wanted, &summary);
    let stored = stored.map_err(CommandError::while_("restore the state"))?;
    match approving.json {
        true => line(stored_json(&stored))?,
        false => line(format_args!(
            "The state is at serial {}. Plan to see how the clusters differ from it.",
            stored.state.serial
        ))?,
    }
    Ok(Exit::Success)
}

fn check(session: &Session, tip: Option<&Tip>, wanted: &Stored) -> Result<(), CommandError> {
    let Some(tip) = tip else { return Ok(()) };
    if tip.revision == wanted.revision {
        return Err(CommandError::new(format!("serial {} is the newest revision already", tip.serial)));
    }
    if tip.lineage != wanted.state.lineage {
        return Err(CommandError::new(format!(
            "the state has lineage {} now, the revision has lineage {}",
            tip.lineage, wanted.state.lineage
        ))
        .hint(format!(
            "somebody began a new state under the same name; to go on with that, run `terrane state restore {}`; if \
             it is not needed, delete its ref by hand, then restore",
            tip.revision.0
        )));
    }
    require_free(session, tip.state.as_ref().ok().and_then(|state| state.holder.clone()))
}

/// Says what this work copy takes for its state from now on.
fn accepted(wanted: &Stored) -> String {
    let State { serial, lineage, records, .. } = &wanted.state;
    let objects = records.len();
    format!(
        "Serial {serial} of lineage {lineage}, with {objects} objects, is what the ref has. Nothing is written to it: \
         this work copy goes on with it, and with nothing that it has seen before.\n"
    )
}

/// Says what the revision changes in the newest state.
fn effect(tip: Option<&Tip>, wanted: &Stored) -> String {
    let serial = wanted.state.serial;
    let objects = wanted.state.records.len();
    match tip.map(|tip| (tip.serial, &tip.state)) {
        None => format!("There is no state: it begins again at serial {serial}, with {objects} objects.\n"),
        Some((newest, Err(_))) => {
            format!("Serial {newest} cannot be read; serial {serial} follows it, with {objects} objects.\n")
        }
        Some((newest, Ok(state))) => {
            let difference = Difference::between(state, &wanted.state);
            let changes = match difference.is_empty() {
                true => "nothing is recorded differently\n".into(),
                false => difference_text(&difference),
            };
            format!("From serial {newest} to what serial {serial} records:\n{changes}")
        }
    }
}
