//! What happens to the participants that count, and to their server.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::Fault;
use crate::dice::Dice;
use crate::participant::{COUNTED, Role};
use crate::process::{self, Found, Group};
use crate::server::Suspect;
use crate::trial::{Scene, Seat};

/// Between two faults.
const PACE: Duration = Duration::from_millis(250);

/// Between two looks at everything.
const TICK: Duration = Duration::from_millis(25);

/// How often each fault happens.
const ROUNDS: usize = 2;

/// A trial that takes longer is stuck, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long a process that can be hit is looked for.
const PATIENCE: Duration = Duration::from_secs(1);

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// A machine dies: the participant with all that it started; of `file://` that includes the server's side.
    MachineDies,
    /// A participant is killed, its `git` goes on.
    ParticipantDies,
    /// The `git` that pushes is killed, the participant and the server go on.
    ConnectionBreaks,
    /// The server's side of a push is killed.
    ServerDies,
    /// A machine stalls for up to two seconds.
    MachineStalls,
    /// A lock file stays behind at the server's ref, for up to two seconds.
    LockStays,
    /// The server packs its objects and refs.
    ServerTidies,
}

impl Act {
    const ALL: [Self; 7] = [
        Self::MachineDies,
        Self::ParticipantDies,
        Self::ConnectionBreaks,
        Self::ServerDies,
        Self::MachineStalls,
        Self::LockStays,
        Self::ServerTidies,
    ];
}

/// The participants that count, and what happens to them.
pub struct Storm<'a> {
    scene: &'a Scene,
    times: usize,
    dice: Dice,
    seats: Vec<Option<Seat>>,
    stalled: Vec<(usize, Instant)>,
    lock: Option<(PathBuf, Instant)>,
    suspect: Option<Suspect>,
    tidying: Vec<Group>,
    happened: BTreeMap<Act, usize>,
}

impl<'a> Storm<'a> {
    /// Starts the participants.
    ///
    /// # Errors
    /// One does not start.
    pub fn new(scene: &'a Scene, counters: usize, times: usize, dice: Dice) -> Result<Self, Fault> {
        let mut seats = Vec::new();
        for idx in 0..counters {
            seats.push(Some(scene.sit(&Self::seat(idx), &Role::Count, times)?));
        }
        let (stalled, tidying) = (Vec::new(), Vec::new());
        let happened = BTreeMap::new();
        Ok(Self { scene, times, dice, seats, stalled, lock: None, suspect: None, tidying, happened })
    }

    /// Returns the name of a place.
    pub fn seat(idx: usize) -> String {
        format!("counter{idx}")
    }

    /// Lets every fault happen, then waits until all have counted; returns what happened.
    ///
    /// # Errors
    /// A participant gives up, or they do not come to an end.
    pub fn blow(&mut self) -> Result<String, Fault> {
        let mut acts = Act::ALL.repeat(ROUNDS);
        self.dice.shuffle(&mut acts);
        let start = Instant::now();
        let mut next = start + PACE * 4;
        while self.seats.iter().any(Option::is_some) {
            if start.elapsed() > DEADLINE {
                return Err(self.told_late()?.into());
            }
            self.mend()?;
            self.replace_the_dead()?;
            if Instant::now() >= next {
                match acts.pop() {
                    Some(act) if self.act(act)? => *self.happened.entry(act).or_default() += 1,
                    // There was nothing to hit just then.
                    Some(act) => acts.insert(0, act),
                    None => fs::remove_file(self.scene.more(COUNTED)).unwrap_or_default(),
                }
                next = Instant::now() + PACE;
            }
            std::thread::sleep(TICK);
        }
        self.mend_now();
        let happened = self.happened.iter().map(|(act, times)| format!("{act:?} {times}"));
        let happened = happened.collect::<Vec<_>>().join(", ");
        match Act::ALL.iter().find(|act| !self.happened.contains_key(act)) {
            Some(act) => Err(format!("{act:?} never happened, but {happened}").into()),
            None => Ok(happened),
        }
    }

    /// Lets a fault happen; tells whether it did.
    fn act(&mut self, act: Act) -> Result<bool, Fault> {
        let Some(idx) = self.anybody() else { return Ok(false) };
        let limit = Duration::from_secs(2);
        let until = Instant::now() + limit / 4 + self.dice.time(limit * 3 / 4);
        let seat = self.seats[idx].as_ref();
        let group = seat.map(|seat| &seat.group).ok_or("an empty seat")?;
        Ok(match act {
            Act::MachineDies => {
                group.signal_all(Signal::KILL);
                true
            }
            Act::ParticipantDies => {
                group.signal_leader(Signal::KILL);
                true
            }
            Act::MachineStalls => {
                group.signal_all(Signal::STOP);
                self.stalled.push((idx, until));
                true
            }
            Act::ConnectionBreaks => hit(|| self.pushing()),
            Act::ServerDies => hit(|| self.scene.server.receivers()),
            Act::LockStays => self.leave_lock(until),
            Act::ServerTidies => {
                let commands =
                    [&["gc", "--quiet"][..], &["pack-refs", "--all"], &["repack", "-a", "-d", "-q"]];
                let command = commands[self.dice.below(commands.len())];
                let mut git = Command::new("git");
                // `pack-refs` copies refs by moves of its own, which the log of the server is not for.
                git.args(["-c", "core.hooksPath=/dev/null", "--git-dir=."])
                    .args(command)
                    .current_dir(self.scene.server.directory());
                let git = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                self.tidying.push(Group::start(git)?);
                true
            }
        })
    }

    /// Returns a participant that runs, and is not stopped.
    fn anybody(&mut self) -> Option<usize> {
        let there: Vec<usize> = (0..self.seats.len())
            .filter(|idx| {
                self.seats[*idx].is_some() && self.stalled.iter().all(|(stalled, _)| stalled != idx)
            })
            .collect();
        (!there.is_empty()).then(|| there[self.dice.below(there.len())])
    }

    fn pushing(&self) -> Vec<Found> {
        let mut all = process::working_in(&self.scene.root.join("copies"));
        all.retain(|found| found.command.starts_with("git ") && found.command.contains(" push "));
        all
    }

    /// Leaves a lock file behind, if nobody has the lock just then.
    fn leave_lock(&mut self, until: Instant) -> bool {
        let lock = self.scene.server.lock_file(COUNTED);
        let made = (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            lock.parent().is_some_and(|directory| fs::create_dir_all(directory).is_ok())
                && OpenOptions::new().write(true).create_new(true).open(&lock).is_ok()
        });
        if made && self.lock.is_none() {
            self.lock = Some((lock, until));
        }
        made
    }

    /// Ends what has lasted long enough.
    fn mend(&mut self) -> Result<(), Fault> {
        let now = Instant::now();
        let seats = &self.seats;
        self.stalled.retain(|(idx, until)| {
            let ends = now >= *until;
            if let Some(seat) = seats[*idx].as_ref().filter(|_| ends) {
                seat.group.signal_all(Signal::CONT);
            }
            !ends
        });
        match &self.lock {
            Some((lock, until)) if now >= *until => {
                fs::remove_file(lock)?;
                self.lock = None;
            }
            Some(_) => {}
            None => self.scene.server.tend(COUNTED, &mut self.suspect),
        }
        for git in &mut self.tidying {
            // What it says does not matter: it may give way to a push.
            git.ended()?;
        }
        Ok(())
    }

    fn mend_now(&mut self) {
        if let Some((lock, _)) = self.lock.take() {
            fs::remove_file(lock).unwrap_or_default();
        }
    }

    /// Starts the participants again that were killed.
    fn replace_the_dead(&mut self) -> Result<(), Fault> {
        for place in &mut self.seats {
            let Some(seat) = place else { continue };
            let Some(status) = seat.group.ended()? else { continue };
            let account = self.scene.account(&seat.name)?;
            if status.success() {
                *place = None;
            } else if status.code().is_some() {
                return Err(format!("{} ended with {status}", seat.player).into());
            } else {
                let rest = self.times.saturating_sub(account.landed.len());
                self.scene.sit_again(seat, &Role::Count, rest)?;
            }
        }
        Ok(())
    }

    fn told_late(&self) -> Result<String, Fault> {
        let mut told = String::from("they do not come to an end:");
        for seat in self.seats.iter().flatten() {
            told = format!("{told}\n{}", self.scene.last_words(&seat.name)?);
        }
        Ok(told)
    }
}

/// Kills the first process that is found; tells whether there was one.
fn hit(find: impl Fn() -> Vec<Found>) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = find().first() {
            found.kill();
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}
