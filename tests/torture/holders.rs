//! Participants that take the lock as runs do: they name themselves as the holder, show now and then that they are
//! alive, release it, and take the place of a holder that shows no sign of life.

use std::time::{Duration, Instant};

use engine_core::lock::{Renewal, Vigil};
use engine_core::ports::{Revision, Stored};
use engine_core::state::{Holder, State};

use crate::Fault;
use crate::participant::{Outcome, Player, raise, say};

/// How often a holder appends while it works.
const STEPS: usize = 3;

/// Between two looks at a lock that another holds.
const POLL: Duration = Duration::from_millis(300);

/// Takes the lock again and again until no more is wanted.
///
/// # Errors
/// The state is not what it must be.
pub fn hold(player: &mut Player<'_>) -> Result<(), Fault> {
    let mut vigil = Vigil::new();
    while player.task.more.exists() {
        let Some(tip) = player.look()? else { continue };
        let now = player.start.elapsed();
        if let Some((what, next, expected)) = turn(player, &mut vigil, tip, now)? {
            let begun = Instant::now();
            match player.attempt(expected.as_ref(), &next, what)? {
                Outcome::Landed(revision) => work(player, revision, next)?,
                _ => player.back_off(begun.elapsed()),
            }
        } else {
            std::thread::sleep(POLL + player.dice.time(POLL));
        }
    }
    Ok(())
}

/// A way to take the lock: what to call it, the state, and what it rests on.
type Turn = (&'static str, State, Option<Revision>);

/// Returns how to take the lock, `None` while somebody else holds it.
fn turn(
    player: &Player<'_>,
    vigil: &mut Vigil,
    tip: Option<Stored>,
    now: Duration,
) -> Result<Option<Turn>, Fault> {
    let mut next = player.after(tip.as_ref())?;
    let renewal = Renewal::every(1).ok_or("one second is a time")?;
    let what = match (&next.holder, &tip) {
        (Some(_), Some(stored)) if vigil.silence(&stored.revision, now) < renewal.abandoned_after() => {
            return Ok(None);
        }
        (Some(_), _) => "displace",
        (None, _) => "lock",
    };
    next.epoch += 1;
    // A clock that is a day slow or fast: nothing may rest on it.
    let since = if next.serial.is_multiple_of(2) { "1970-01-01T00:00:00Z" } else { "2999-12-31T23:59:59Z" };
    let [who, operation] = ["torture@localhost", "apply"].map(Into::into);
    next.holder =
        Some(Holder { run: player.task.name.as_str().into(), who, operation, since: since.into(), renewal });
    Ok(Some((what, next, tip.map(|stored| stored.revision))))
}

/// Works with the lock until it is released, or taken away.
fn work(player: &mut Player<'_>, taken: Revision, state: State) -> Result<(), Fault> {
    say(&format!("holds {}", player.task.name));
    let (mut tip, mut state, mut step) = (taken, state, 0);
    while step <= STEPS {
        std::thread::sleep(Duration::from_millis(200) + player.dice.time(Duration::from_millis(300)));
        let mut next = state.clone();
        next.serial += 1;
        let what = if step < STEPS { "hold" } else { "release" };
        if step < STEPS {
            raise(&mut next)?;
        } else {
            next.holder = None;
        }
        match player.attempt(Some(&tip), &next, what)? {
            Outcome::Landed(revision) => (tip, state, step) = (revision, next, step + 1),
            Outcome::Moved => {
                say(&format!("fenced {}", player.task.name));
                return Ok(());
            }
            // It may have landed: then the next attempt finds the chain moved by ourselves, and the lock is left to others.
            Outcome::Failed | Outcome::Open => player.back_off(Duration::from_millis(100)),
        }
    }
    say(&format!("released {}", player.task.name));
    Ok(())
}

/// Releases the lock of exactly the run that was looked at, as `terrane state unlock` does.
///
/// # Errors
/// The state is not what it must be.
pub fn unlock(player: &mut Player<'_>, run: &str) -> Result<(), Fault> {
    loop {
        let Some(Some(tip)) = player.look()? else { continue };
        let mut next = player.after(Some(&tip))?;
        if next.holder.take().is_none_or(|holder| holder.run != run) {
            // It was released, or another has it.
            return Ok(());
        }
        next.epoch += 1;
        if let Outcome::Landed(_) = player.attempt(Some(&tip.revision), &next, "unlock")? {
            say(&format!("unlocked {run}"));
            return Ok(());
        }
    }
}
