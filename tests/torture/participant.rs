//! A participant: it opens the state in a copy of its own and changes it by compare-and-swap.
//!
//! What it did stands on its output, a line each: `tried` before an attempt, then `landed`, `lost` or `open`. No
//! participant asks what time it is: it measures how long something took, and waits. The time in a holder's `since` is
//! wrong on purpose.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use engine_core::ports::{Revision, StateError, StateStore, Stored};
use engine_core::state::{Output, State};
use engine_state::{GitLocation, GitStore, new_lineage};

use crate::Fault;
use crate::dice::Dice;
use crate::holders;

const ROLE: &str = "TORTURE_ROLE";
const NAME: &str = "TORTURE_NAME";
const COPY: &str = "TORTURE_COPY";
const TIMES: &str = "TORTURE_TIMES";
const MORE: &str = "TORTURE_MORE";

/// The environment whose counter is raised, and the one whose lock is taken.
pub const COUNTED: &str = "counted";
/// See [`COUNTED`].
pub const LOCKED: &str = "locked";

/// The longest that an attempt is put off.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How often the pause doubles at most.
const DOUBLINGS: u32 = 6;

/// What a participant does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Raises the counter.
    Count,
    /// Takes the lock, works, and releases it.
    Hold,
    /// Releases the lock of this run by hand.
    Unlock(String),
}

/// What it is told.
#[derive(Debug, Clone)]
pub struct Task {
    /// What to do.
    pub role: Role,
    /// Who it is: no other participant, earlier or later, has this name.
    pub name: String,
    /// The repository that it works in.
    pub copy: PathBuf,
    /// How often at least.
    pub times: usize,
    /// It goes on while this file is there.
    pub more: PathBuf,
}

impl Task {
    /// Returns what this process was told, `None` if it is no participant.
    pub fn of_process() -> Option<Self> {
        let text = |name: &str| std::env::var(name).ok();
        let role = match text(ROLE)?.split_once(' ') {
            Some(("unlock", run)) => Role::Unlock(run.to_owned()),
            _ if text(ROLE)? == "hold" => Role::Hold,
            _ => Role::Count,
        };
        let times = text(TIMES)?.parse().ok()?;
        Some(Self { role, name: text(NAME)?, copy: text(COPY)?.into(), times, more: text(MORE)?.into() })
    }

    /// Returns the variables that tell it.
    pub fn variables(&self) -> [(&'static str, String); 5] {
        let role = match &self.role {
            Role::Count => "count".to_owned(),
            Role::Hold => "hold".to_owned(),
            Role::Unlock(run) => format!("unlock {run}"),
        };
        let shown = |path: &Path| path.display().to_string();
        [
            (ROLE, role),
            (NAME, self.name.clone()),
            (COPY, shown(&self.copy)),
            (TIMES, self.times.to_string()),
            (MORE, shown(&self.more)),
        ]
    }
}

/// Does what the process was told.
pub fn run(task: &Task) -> ExitCode {
    let done = Player::new(task).and_then(|mut player| match &task.role {
        Role::Count => player.count(),
        Role::Hold => holders::hold(&mut player),
        Role::Unlock(run) => holders::unlock(&mut player, run),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("fault {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What became of an attempt.
pub enum Outcome {
    /// It is in the chain.
    Landed(Revision),
    /// It is not, and never will be: somebody else was first.
    Moved,
    /// It is not, and never will be: the server was not able to.
    Failed,
    /// Nobody knows yet.
    Open,
}

/// An attempt of which nobody knows yet.
struct Attempt {
    id: String,
    revision: Revision,
    /// While this is the newest one, it may still land.
    expected: Option<Revision>,
}

/// A participant at work.
pub struct Player<'a> {
    /// What it was told.
    pub task: &'a Task,
    /// Draws what is random.
    pub dice: Dice,
    /// Since when it plays.
    pub start: Instant,
    store: GitStore,
    attempts: usize,
    open: Vec<Attempt>,
    /// How often the pause was doubled.
    doubled: u32,
}

impl<'a> Player<'a> {
    fn new(task: &'a Task) -> Result<Self, Fault> {
        let environment = if task.role == Role::Count { COUNTED } else { LOCKED };
        let location = GitLocation::Remote { repository: task.copy.clone(), remote: "origin".into() };
        let store = GitStore::open(&location, &environment.parse()?)?;
        let store = store.with_high_water(task.copy.join("high-water.json"));
        let (dice, _) = Dice::fresh();
        let start = Instant::now();
        Ok(Self { task, dice, start, store, attempts: 0, open: Vec::new(), doubled: 0 })
    }

    /// Raises the counter until it was done often enough, and no more is wanted.
    fn count(&mut self) -> Result<(), Fault> {
        let mut landed = 0;
        while landed < self.task.times || self.task.more.exists() {
            let begun = Instant::now();
            let Some(tip) = self.look()? else { continue };
            let mut next = self.after(tip.as_ref())?;
            raise(&mut next)?;
            let expected = tip.map(|stored| stored.revision);
            match self.attempt(expected.as_ref(), &next, "count")? {
                Outcome::Landed(_) => {
                    landed += 1;
                    self.doubled = self.doubled.saturating_sub(1);
                }
                _ => self.back_off(begun.elapsed()),
            }
        }
        self.resolve_all()
    }

    /// Waits for a random part of a time that doubles with each loss and halves with each success, and is longer where
    /// an attempt takes longer.
    pub fn back_off(&mut self, took: Duration) {
        self.doubled = (self.doubled + 1).min(DOUBLINGS);
        let limit = (took * 2_u32.pow(self.doubled)).min(LONGEST_PAUSE);
        std::thread::sleep(self.dice.time(limit));
    }

    /// Returns the newest revision, which may be none; `None` when it cannot be seen now.
    pub fn look(&mut self) -> Result<Option<Option<Stored>>, Fault> {
        let begun = Instant::now();
        match self.store.latest() {
            Ok(tip) => {
                self.resolve(tip.as_ref())?;
                Ok(Some(tip))
            }
            Err(error @ (StateError::Unreachable(_) | StateError::Local(_) | StateError::Stuck(_))) => {
                say(&format!("blind {error}"));
                self.back_off(begun.elapsed());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the state that may follow the newest one.
    pub fn after(&self, tip: Option<&Stored>) -> Result<State, Fault> {
        let mut next = match tip {
            Some(stored) => stored.state.clone(),
            None => {
                let environment = if self.task.role == Role::Count { COUNTED } else { LOCKED };
                State::empty(environment.parse()?, new_lineage()?)
            }
        };
        next.serial += 1;
        Ok(next)
    }

    /// Tries to append a state, once.
    pub fn attempt(
        &mut self,
        expected: Option<&Revision>,
        next: &State,
        what: &str,
    ) -> Result<Outcome, Fault> {
        self.attempts += 1;
        let id = format!("{}.{}", self.task.name, self.attempts);
        say(&format!("tried {id}"));
        match self.store.advance(expected, next, &format!("{what} {id}")) {
            Ok(revision) => {
                say(&format!("landed {id} {}", revision.0));
                Ok(Outcome::Landed(revision))
            }
            Err(StateError::Moved { .. }) => {
                say(&format!("lost {id} moved"));
                Ok(Outcome::Moved)
            }
            Err(StateError::Unknown { revision, reason }) => {
                say(&format!("open {id} {reason}"));
                self.open.push(Attempt { id, revision, expected: expected.cloned() });
                Ok(Outcome::Open)
            }
            // All of these say that nothing was written.
            Err(
                error @ (StateError::Stuck(_)
                | StateError::Refused(_)
                | StateError::Unreachable(_)
                | StateError::Local(_)),
            ) => {
                say(&format!("lost {id} {error}"));
                Ok(Outcome::Failed)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out what became of the attempts of which nobody knew: as soon as the chain went on from where they began,
    /// they are in it, or never will be.
    fn resolve(&mut self, tip: Option<&Stored>) -> Result<(), Fault> {
        let newest = tip.map(|stored| &stored.revision);
        if !self.open.iter().any(|attempt| attempt.expected.as_ref() != newest) {
            return Ok(());
        }
        let Ok(history) = self.store.history(usize::MAX) else { return Ok(()) };
        let (decided, open) =
            self.open.drain(..).partition(|attempt: &Attempt| attempt.expected.as_ref() != newest);
        self.open = open;
        let decided: Vec<Attempt> = decided;
        for Attempt { id, revision, .. } in decided {
            match history.iter().any(|entry| entry.revision == revision) {
                true => say(&format!("found {id} {}", revision.0)),
                false => say(&format!("lost {id} unknown")),
            }
        }
        Ok(())
    }

    fn resolve_all(&mut self) -> Result<(), Fault> {
        self.look().map(drop)
    }
}

/// Raises the counter in a state.
pub fn raise(state: &mut State) -> Result<(), Fault> {
    let count = counter(state)? + 1;
    state.outputs.insert("counter".into(), Output::Value(count.into()));
    Ok(())
}

/// Returns the counter of a state.
///
/// # Errors
/// It is no number.
pub fn counter(state: &State) -> Result<i64, Fault> {
    match state.outputs.get("counter") {
        Some(Output::Value(value)) => Ok(value.as_i64().ok_or("the counter is no number")?),
        Some(Output::Sensitive) => Err("the counter is hidden".into()),
        None => Ok(0),
    }
}

/// Writes a line in one piece: the process may be killed at any moment, and starts again with the same file.
pub fn say(line: &str) {
    let line = format!("{}\n", line.replace('\n', " "));
    // Nobody reads it if the parent is gone.
    io::stdout().lock().write_all(line.as_bytes()).unwrap_or_default();
}
