//! Looking into the chain: `terrane state pull`, `diff` and `verify`.

use std::path::PathBuf;

use engine_core::ports::Stored;
use engine_core::state::Difference;
use engine_render::{difference_json, difference_text, value_json, verified_json, verified_text};

use super::{applied, nothing_applied, open};
use crate::args::{Target, Variables};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};
use crate::terminal::{line, print};

/// Prints the newest state.
pub(super) fn pull(target: &Target, context: Context) -> Result<(), CommandError> {
    let stored = applied(target, context)?;
    let document = engine_state::document(&stored.state).map_err(CommandError::while_("print the state"))?;
    line(value_json(&document))
}

/// Prints what changed between two revisions.
pub(super) fn diff(
    words: &[String],
    variables: Variables,
    json: bool,
    context: Context,
) -> Result<(), CommandError> {
    let (revisions, directory) = match words {
        [] => (None, "."),
        [directory] => (None, directory.as_str()),
        [a, b] => (Some([a, b]), "."),
        [a, b, directory, ..] => (Some([a, b]), directory.as_str()),
    };
    let session = open(&Target { directory: PathBuf::from(directory), variables }, context)?;
    let [before, after] = match revisions {
        Some(names) => names.map(|name| find(&session, name)),
        None => newest(&session)?.map(Ok),
    };
    let (before, after) = (before?, after?);
    let difference = Difference::between(&before.state, &after.state);
    let (from, to) = (before.state.serial, after.state.serial);
    if json {
        return line(difference_json([(&before.revision, from), (&after.revision, to)], &difference));
    }
    line(format_args!("From serial {from} to serial {to}:"))?;
    match difference.is_empty() {
        true => line("nothing is recorded differently"),
        false => print(&difference_text(&difference)),
    }
}

/// Returns the newest revision, and before it the one that it follows.
fn newest(session: &Session) -> Result<[Stored; 2], CommandError> {
    let newest = session.stored.clone().ok_or_else(nothing_applied)?;
    let history = session.store.history(2).map_err(CommandError::while_("read the history"))?;
    match history.get(1) {
        Some(before) => Ok([find(session, &before.revision.0)?, newest]),
        None => {
            Err(CommandError::new("the state has one revision only: there is nothing to compare it with"))
        }
    }
}

/// Finds a revision by its name.
pub(super) fn find(session: &Session, name: &str) -> Result<Stored, CommandError> {
    let found = session.store.find(name).map_err(CommandError::while_(format!("read revision {name}")))?;
    found.ok_or_else(|| {
        CommandError::new(format!("the state has no revision {name}, or more than one"))
            .hint("`terrane history` lists the serials and the commits")
    })
}

/// Looks at every revision.
pub(super) fn verify(target: &Target, json: bool, context: Context) -> Result<Exit, CommandError> {
    // A chain that cannot be read is what is looked for here.
    let session = Session::unread(Workspace::open(target)?, context)?;
    let verified = session.store.verify().map_err(CommandError::while_("verify the state"))?;
    print(&if json { verified_json(&verified) + "\n" } else { verified_text(&verified) })?;
    if !verified.faults.is_empty() {
        return Ok(Exit::Incomplete);
    }
    // Each revision may be good, and the chain another one than was seen.
    session.store.latest().map_err(CommandError::while_("compare the state with what was seen"))?;
    Ok(Exit::Success)
}
