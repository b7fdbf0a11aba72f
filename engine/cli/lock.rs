//! Whose turn it is to change an environment.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use engine_core::lock::Vigil;
use engine_core::mark::Lineage;
use engine_core::ports::{RevisionStore, StateError, Stored};
use engine_core::state::{Holder, LeftBehind, State};
use engine_core::value::Text;
use engine_render::escape;
use engine_state::{LocalLock, RunFiles, RunLog};

use crate::error::CommandError;
use crate::session::Session;
use crate::terminal::{line, say};

/// Between two looks at a lock that another run holds.
const POLL: Duration = Duration::from_secs(5);

/// How often a lock is released anew when its holder has appended in the meantime, and how soon.
const ATTEMPTS: usize = 10;
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// That nobody else changes the environment: on this machine by a lock of the operating system, elsewhere as far as the
/// state tells. Whether this run may really begin, its first revision decides.
pub struct Turn {
    files: RunFiles,
    left: Option<LeftBehind>,
    /// The state still names a run that is dead.
    displaces: bool,
    _local: LocalLock,
}

impl Turn {
    /// Tells whether the state still names a run that is dead: something to clear up, even if nothing else changes.
    pub fn displaces(&self) -> bool {
        self.displaces
    }

    /// Begins the log of a run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&self, lineage: &Lineage, run: &Text) -> Result<RunLog, CommandError> {
        let log = self.files.begin(lineage, run, self.left.as_ref());
        log.map_err(CommandError::while_("begin the log of this run"))
    }
}

/// Who is in the way.
enum Busy {
    /// Another process works in the same directory.
    Here,
    Elsewhere(Holder),
}

/// Waits until nobody else changes the environment, at most for `patience`. What a run of this machine that died has
/// noted is put into the session's state. A run elsewhere that shows no sign of life for long enough, before these eyes,
/// counts as dead.
///
/// # Errors
/// Somebody else changes the environment; the error says who, and what to do. Or the state cannot be read.
pub async fn take_turn(session: &mut Session, patience: Duration) -> Result<Turn, CommandError> {
    let files = session.run_files();
    let (start, mut vigil) = (Instant::now(), Vigil::new());
    let mut is_told = false;
    loop {
        let local = files.try_lock().map_err(CommandError::while_("lock the work directory"))?;
        let busy = match local {
            None => Busy::Here,
            Some(local) => match elsewhere(session, &files, &mut vigil, start.elapsed()) {
                Err(holder) => Busy::Elsewhere(*holder),
                Ok(dead) => {
                    let displaces = dead.is_some();
                    let left = dead.and_then(|dead| dead.left);
                    return Ok(Turn { files, left, displaces, _local: local });
                }
            },
        };
        let rest = patience.saturating_sub(start.elapsed());
        if rest.is_zero() {
            return Err(locked(session, &busy));
        }
        if !is_told {
            say(&format!("waiting for the lock: {}\n", escape(&busy.text())));
            is_told = true;
        }
        tokio::time::sleep(POLL.min(rest)).await;
        session.reload_state()?;
    }
}

/// A dead run that the state still names.
struct Dead {
    /// What it noted on this machine.
    left: Option<LeftBehind>,
}

/// Looks who holds the lock of the state; takes a dead run out of the session's state.
fn elsewhere(
    session: &mut Session,
    files: &RunFiles,
    vigil: &mut Vigil,
    now: Duration,
) -> Result<Option<Dead>, Box<Holder>> {
    let Some(stored) = &mut session.stored else { return Ok(None) };
    let Some(holder) = stored.state.holder.clone() else { return Ok(None) };
    if let Some(left) = left_behind(files).filter(|left| left.settle(&mut stored.state)) {
        say(&format!(
            "run {} of this machine ended early; going on from what it noted\n",
            escape(&holder.run)
        ));
        return Ok(Some(Dead { left: Some(left) }));
    }
    if vigil.silence(&stored.revision, now) < holder.renewal.abandoned_after() {
        return Err(Box::new(holder));
    }
    let silence = holder.renewal.abandoned_after().as_secs();
    say(&format!(
        "{} showed no sign of life for {silence} seconds; taking its place\n",
        escape(&described(&holder))
    ));
    stored.state.holder = None;
    Ok(Some(Dead { left: None }))
}

/// Only whoever has the local lock may go on from what is found.
fn left_behind(files: &RunFiles) -> Option<LeftBehind> {
    let found = files.left_behind();
    found.unwrap_or_else(|error| {
        say(&format!("warning: {}\n", escape(&error.to_string())));
        None
    })
}

/// Looks at the lock without waiting for it: a plan needs none. What a dead run of this machine noted counts; another
/// run that may be changing what is planned on is warned of.
pub fn peek(session: &mut Session) {
    let files = session.run_files();
    let Some(stored) = &mut session.stored else { return };
    let Some(holder) = stored.state.holder.clone() else { return };
    // Where no lock file can be written, as in a read-only checkout, no run has died.
    let local = files.try_lock().ok().flatten();
    let text = match local.and_then(|_local| left_behind(&files)?.settle(&mut stored.state).then_some(())) {
        Some(()) => format!("run {} of this machine ended early; what it noted counts", holder.run),
        None => format!("{}; what it changes may not show here", described(&holder)),
    };
    say(&format!("warning: {}\n", escape(&text)));
}

/// Releases the lock of exactly the run that was looked at, and records what it noted here. Its intents stay for the
/// next apply to resolve. A run that goes on appending is tried again, against what it appended.
///
/// # Errors
/// Nothing is locked, another run holds the lock, that run is alive here, or the state cannot be written.
pub fn release_lock(mut session: Session, run: &str) -> Result<(), CommandError> {
    let files = session.run_files();
    let local = files.try_lock().map_err(CommandError::while_("lock the work directory"))?;
    let left = left_behind(&files);
    let is_alive_here = local.is_none() && left.as_ref().is_some_and(|left| left.run == run);
    let pauses = ExponentialBuilder::default().with_min_delay(SHORTEST_PAUSE).with_max_delay(LONGEST_PAUSE);
    let mut pauses = pauses.with_max_times(ATTEMPTS).with_jitter().build();
    let noted = loop {
        let Some(stored) = &mut session.stored else { return Err(nothing_locked()) };
        let Some(holder) = stored.state.holder.clone() else { return Err(nothing_locked()) };
        if holder.run != run {
            return Err(CommandError::new(format!("the lock is held by run {}, not by {run}", holder.run))
                .hint("look again before you release a lock that may be alive"));
        }
        if is_alive_here {
            return Err(CommandError::new(format!(
                "run {run} is alive: its process works in this directory"
            ))
            .hint("end that process, Ctrl-C lets it record what it did"));
        }
        let noted = left.as_ref().is_some_and(|left| left.settle(&mut stored.state));
        match (without_holder(session.store.as_ref(), stored, run), pauses.next()) {
            (Ok(()), _) => break noted,
            (Err(StateError::Moved { .. }), Some(pause)) => std::thread::sleep(pause),
            (Err(error), _) => return Err(CommandError::while_("release the lock")(error)),
        }
        session.reload_state()?;
    };
    if noted {
        files.clear().map_err(CommandError::while_("remove the log of the dead run"))?;
    }
    line(format_args!("The lock of run {run} is released. The next apply settles what it left behind."))
}

/// Appends a revision that names no holder to the one that was read.
fn without_holder(store: &dyn RevisionStore, read: &Stored, run: &str) -> Result<(), StateError> {
    let Stored { revision, state } = read;
    let next = State { holder: None, serial: state.serial + 1, epoch: state.epoch + 1, ..state.clone() };
    store.advance(Some(revision), &next, &format!("unlock: run {run} released by hand")).map(drop)
}

fn nothing_locked() -> CommandError {
    CommandError::new("the state is not locked")
}

/// Checks that nobody holds the state.
///
/// # Errors
/// Somebody holds it; the error says who and what to do.
pub fn require_unlocked(session: &Session) -> Result<(), CommandError> {
    require_free(session, session.stored.as_ref().and_then(|stored| stored.state.holder.clone()))
}

/// Checks that a state which the session has not read names no holder.
///
/// # Errors
/// It does; the error says who and what to do.
pub fn require_free(session: &Session, holder: Option<Holder>) -> Result<(), CommandError> {
    holder.map_or(Ok(()), |holder| Err(locked(session, &Busy::Elsewhere(holder))))
}

fn locked(session: &Session, busy: &Busy) -> CommandError {
    let hint = match busy {
        Busy::Here => "wait for it, with `--lock-timeout 15m`, or end it".into(),
        Busy::Elsewhere(holder) => {
            let directory = session.workspace.home().display().to_string();
            let directory = if directory == "." { String::new() } else { format!(" {directory}") };
            format!(
                "wait for it, with `--lock-timeout 15m`; if that run is dead, release its lock with \
                 `terrane state unlock --lock-id {}{directory}`",
                holder.run
            )
        }
    };
    let last = session.store.history(1).ok().and_then(|history| history.into_iter().next());
    let last = last.map(|entry| format!("; last heard of with serial {}: {}", entry.serial, entry.summary));
    let text = format!("{}{}", busy.text(), last.unwrap_or_default());
    CommandError::while_("take the lock")(StateError::Locked(text)).hint(hint)
}

impl Busy {
    fn text(&self) -> String {
        match self {
            Self::Here => "another process changes the environment in this directory".into(),
            Self::Elsewhere(holder) => described(holder),
        }
    }
}

fn described(Holder { run, who, operation, since, .. }: &Holder) -> String {
    format!("run {run} holds the lock since {since} ({operation} by {who})")
}
