//! What happens to the participants that take the lock, one thing after the other.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::Fault;
use crate::account::Account;
use crate::participant::{LOCKED, Role};
use crate::server::Suspect;
use crate::trial::{Scene, Seat};

/// A step that takes longer is stuck, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(200);

/// How often the lock is broken by hand until it is not released at the same moment.
const BREAKS: usize = 8;

/// The place of those that release a lock by hand.
const BREAKER: &str = "breaker";

/// The participants that take the lock.
pub struct Script<'a> {
    scene: &'a Scene,
    seats: Vec<Seat>,
    suspect: Option<Suspect>,
}

impl<'a> Script<'a> {
    /// Starts the participants.
    ///
    /// # Errors
    /// One does not start.
    pub fn new(scene: &'a Scene, holders: usize) -> Result<Self, Fault> {
        let mut seats = Vec::new();
        for name in Self::holders(holders) {
            seats.push(scene.sit(&name, &Role::Hold, 0)?);
        }
        Ok(Self { scene, seats, suspect: None })
    }

    /// Returns the names of all places.
    pub fn seats(holders: usize) -> Vec<String> {
        let mut names = Self::holders(holders);
        names.push(BREAKER.to_owned());
        names
    }

    fn holders(holders: usize) -> Vec<String> {
        (0..holders).map(|idx| format!("holder{idx}")).collect()
    }

    /// Lets a holder stall until it is displaced, another die, and breaks the lock of a third.
    ///
    /// # Errors
    /// One of them does not come to what it must.
    pub fn play(&mut self) -> Result<(), Fault> {
        self.until("the lock was released by itself", |seats| {
            let mut locks = seats.iter().flat_map(|(_, account)| &account.locks);
            locks.any(|(what, _)| what == "released").then_some(())
        })?;

        let stalled = self.holder()?;
        self.seats[stalled].group.signal_leader(Signal::STOP);
        let displaced = self.displaced(stalled);
        self.seats[stalled].group.signal_leader(Signal::CONT);
        displaced?;
        self.fenced(stalled)?;

        let dead = self.holder()?;
        self.seats[dead].group.signal_all(Signal::KILL);
        self.displaced(dead)?;
        self.scene.sit_again(&mut self.seats[dead], &Role::Hold, 0)?;

        self.break_lock()?;
        self.end()
    }

    /// Waits until somebody has taken the lock; returns who.
    fn holder(&mut self) -> Result<usize, Fault> {
        self.until("somebody holds the lock", |seats| {
            seats.iter().position(|(player, account)| account.holder() == Some(player))
        })
    }

    /// Waits until somebody else holds the lock.
    fn displaced(&mut self, victim: usize) -> Result<(), Fault> {
        let count = |seats: &[(String, Account)]| {
            let others = seats.iter().enumerate().filter(|(idx, _)| *idx != victim);
            let locks = others.flat_map(|(_, (_, account))| &account.locks);
            locks.filter(|(what, _)| what == "holds").count()
        };
        let before = count(&self.accounts()?);
        self.until("the holder is displaced", |seats| (count(seats) > before).then_some(()))
    }

    /// Waits until a holder has noticed that it is none any more.
    fn fenced(&mut self, victim: usize) -> Result<(), Fault> {
        let player = self.seats[victim].player.clone();
        self.until("the displaced holder notices it", |seats| {
            let fenced = ("fenced".to_owned(), player.clone());
            seats.iter().any(|(_, account)| account.locks.contains(&fenced)).then_some(())
        })
    }

    /// Releases the lock of a holder that is at work, and stalls meanwhile: one that goes on would be faster.
    fn break_lock(&mut self) -> Result<(), Fault> {
        let mut breaker: Option<Seat> = None;
        for _ in 0..BREAKS {
            let victim = self.holder()?;
            let role = Role::Unlock(self.seats[victim].player.clone());
            self.seats[victim].group.signal_leader(Signal::STOP);
            match &mut breaker {
                Some(seat) => self.scene.sit_again(seat, &role, 1)?,
                None => breaker = Some(self.scene.sit(BREAKER, &role, 1)?),
            }
            let ended = breaker.as_mut().map_or(Ok(()), |seat| self.wait_for(seat));
            self.seats[victim].group.signal_leader(Signal::CONT);
            ended?;
            if !self.scene.account(BREAKER)?.locks.is_empty() {
                return self.fenced(victim);
            }
        }
        Err(format!("{BREAKS} locks were released before they were broken").into())
    }

    /// Waits until a participant has ended by itself.
    fn wait_for(&mut self, seat: &mut Seat) -> Result<(), Fault> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            match seat.group.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("{} ended with {status}", seat.player).into()),
                None => self.scene.server.tend(LOCKED, &mut self.suspect),
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Err(format!("{} does not end: {}", seat.player, self.scene.last_words(&seat.name)?).into())
    }

    /// Waits until all have ended by themselves.
    fn end(&mut self) -> Result<(), Fault> {
        fs::remove_file(self.scene.more(LOCKED))?;
        while let Some(mut seat) = self.seats.pop() {
            self.wait_for(&mut seat)?;
        }
        Ok(())
    }

    /// Returns who sits where, and what they tell.
    fn accounts(&self) -> Result<Vec<(String, Account)>, Fault> {
        let accounts = self.seats.iter().map(|seat| {
            let account = self.scene.account(&seat.name)?;
            Ok((seat.player.clone(), account))
        });
        accounts.collect()
    }

    fn until<T>(
        &mut self,
        what: &str,
        mut is_so: impl FnMut(&[(String, Account)]) -> Option<T>,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            if let Some(found) = is_so(&self.accounts()?) {
                return Ok(found);
            }
            self.scene.server.tend(LOCKED, &mut self.suspect);
            std::thread::sleep(Duration::from_millis(25));
        }
        let told: Result<Vec<_>, Fault> =
            self.seats.iter().map(|seat| self.scene.last_words(&seat.name)).collect();
        Err(format!("in vain: {what}:\n{}", told?.join("\n")).into())
    }
}
