//! `terrane state`

use engine_core::address::Address;
use engine_core::ports::Stored;
use engine_render::{history_json, history_text, state_json, state_list, state_show, state_show_json};

use crate::args::{StateCommand, Target};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};
use crate::terminal::{line, print};

/// Looks into the state.
pub fn run(command: StateCommand, context: Context) -> Result<Exit, CommandError> {
    match command {
        StateCommand::List { target, json } => {
            let stored = applied(&target, context)?;
            print(&if json { state_json(&stored.state) + "\n" } else { state_list(&stored.state) })?;
        }
        StateCommand::Show { address, target, json } => {
            let stored = applied(&target, context)?;
            let address: Address =
                address.parse().map_err(CommandError::while_(format!("read `{address}`")))?;
            let found = match json {
                true => state_show_json(&stored.state, &address).map(|json| json + "\n"),
                false => state_show(&stored.state, &address),
            };
            let Some(found) = found else {
                return Err(CommandError::new(format!("the state has no {address}"))
                    .hint("`terrane state list` shows all addresses"));
            };
            print(&found)?;
        }
        StateCommand::History { target, json, limit } => {
            let session = open(&target, context)?;
            let history = session.store.history(limit).map_err(CommandError::while_("read the history"))?;
            print(&if json { history_json(&history) + "\n" } else { history_text(&history) })?;
        }
        StateCommand::Unlock { run, target } => unlock(&run, &target, context)?,
    }
    Ok(Exit::Success)
}

fn open(target: &Target, context: Context) -> Result<Session, CommandError> {
    Session::offline(Workspace::open(target)?, context)
}

fn applied(target: &Target, context: Context) -> Result<Stored, CommandError> {
    open(target, context)?
        .stored
        .ok_or_else(|| CommandError::new("nothing has been applied yet").hint("run `terrane apply` first"))
}

/// Releases the lock of exactly the run that was looked at. Its intents stay for the next apply to resolve.
fn unlock(run: &str, target: &Target, context: Context) -> Result<(), CommandError> {
    let Session { store, stored, .. } = open(target, context)?;
    let Some(stored) = stored else { return Err(CommandError::new("nothing has been applied yet")) };
    let mut next = stored.state.clone();
    match next.holder.take() {
        None => return Err(CommandError::new("the state is not locked")),
        Some(holder) if holder.run != run => {
            return Err(CommandError::new(format!("the lock is held by run {}, not by {run}", holder.run))
                .hint("look again before you release a lock that may be alive"));
        }
        Some(_) => {}
    }
    next.serial += 1;
    next.epoch += 1;
    let summary = format!("unlock: run {run} released by hand");
    store
        .advance(Some(&stored.revision), &next, &summary)
        .map_err(CommandError::while_("release the lock"))?;
    line(format_args!("The lock of run {run} is released. The next apply settles what it left behind."))?;
    Ok(())
}
