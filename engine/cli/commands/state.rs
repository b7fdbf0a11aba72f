//! `terrane state`

mod compact;
mod inspect;
mod rebuild;
mod restore;

use engine_converge::predict::Purpose;
use engine_core::ports::Stored;
use engine_render::{Operation, escape, state_json, state_list, state_show, state_show_json};

use crate::args::{Approving, Running, StateCommand, Target};
use crate::commands::apply::{Approval, carry_out};
use crate::commands::plan::make;
use crate::error::{CommandError, Exit};
use crate::lock::{release_lock, require_unlocked, take_turn};
use crate::session::{Context, Session, Workspace};
use crate::subject::{Subject, address};
use crate::terminal::{confirm, line, print};

/// Looks into the state, and mends it.
pub async fn run(command: StateCommand, context: Context) -> Result<Exit, CommandError> {
    match command {
        StateCommand::List { target, json } => {
            let stored = applied(&target, context)?;
            print(&if json { state_json(&stored.state) + "\n" } else { state_list(&stored.state) })?;
        }
        StateCommand::Show { address, target, json } => {
            let stored = applied(&target, context)?;
            let address = crate::subject::address(&address)?;
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
        StateCommand::History(wish) => return crate::commands::history::run(&wish, context),
        StateCommand::Pull { target } => inspect::pull(&target, context)?,
        StateCommand::Diff { words, variables, json } => inspect::diff(&words, variables, json, context)?,
        StateCommand::Verify { target, json } => return inspect::verify(&target, json, context),
        StateCommand::Restore { revision, target, approving } => {
            return restore::run(&revision, &target, approving, context);
        }
        StateCommand::Rebuild { target, lineage, approving } => {
            return rebuild::run(&target, lineage, approving, context).await;
        }
        StateCommand::Compact { target, keep, approving } => {
            return compact::run(&target, keep, approving, context);
        }
        StateCommand::Mv { from, to, target } => relocate([&from, &to], &target, context)?,
        StateCommand::Rm { address, target, running } => {
            return release(&address, &target, &running, context).await;
        }
        StateCommand::Unlock { lock_id, target } => release_lock(open(&target, context)?, &lock_id)?,
    }
    Ok(Exit::Success)
}

fn open(target: &Target, context: Context) -> Result<Session, CommandError> {
    Session::offline(Workspace::open(target)?, context)
}

fn applied(target: &Target, context: Context) -> Result<Stored, CommandError> {
    open(target, context)?.stored.ok_or_else(nothing_applied)
}

/// Has a change of the state confirmed, unless the user has said that it may be made.
fn approved(approving: Approving, question: &str) -> Result<bool, CommandError> {
    if approving.auto_approve { Ok(true) } else { confirm(question) }
}

fn nothing_applied() -> CommandError {
    CommandError::new("nothing has been applied yet").hint("run `terrane apply` first")
}

/// Records what is at one address under another.
fn relocate(addresses: [&str; 2], target: &Target, context: Context) -> Result<(), CommandError> {
    let [from, to] = addresses.map(address);
    let (from, to) = (from?, to?);
    let session = open(target, context)?;
    require_unlocked(&session)?;
    let Session { store, stored, .. } = session;
    let Some(stored) = stored else { return Err(nothing_applied()) };
    let mut next = stored.state.clone();
    let moved = next.relocate(&from, &to).map_err(CommandError::while_(format!("move {from} to {to}")))?;
    next.serial += 1;
    let summary = format!("state mv: {from} to {to}");
    store
        .advance(Some(&stored.revision), &next, &summary)
        .map_err(CommandError::while_("record the addresses"))?;
    for (from, to) in &moved {
        line(format_args!("{} is now {}", escape(&from.to_string()), escape(&to.to_string())))?;
    }
    line(format_args!("Moved: {}. Plan to see whether the definition agrees.", moved.len()))
}

/// Lets go what is recorded at an address.
async fn release(
    address: &str,
    target: &Target,
    running: &Running,
    context: Context,
) -> Result<Exit, CommandError> {
    let mut session = Session::offline(Workspace::open(target)?, context)?;
    let turn = take_turn(&mut session, running.lock_timeout).await?;
    session.reach().await?;
    let subject = Subject::release(&session.definition, &session, address)?;
    let planned = make(&session, &subject, Purpose::Apply).await?;
    let approval = Approval {
        operation: Operation::Apply,
        question: "Do you want to let these objects go?",
        saved: None,
    };
    carry_out(session, (turn, planned), (&approval, running), context).await
}
