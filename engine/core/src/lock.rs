//! For how long the lock in a state's chain holds.
//!
//! The lock is the newest revision: whoever it names as its holder may write. Safety rests on the store's
//! compare-and-swap alone, since a holder that was displaced cannot append any more. What is here only decides when a
//! holder has to show that it is alive, when it must stop, and when others may take its place. Every participant judges
//! by what it sees itself and by its own clock; no decision rests on a time that another machine wrote down.
//!
//! # Source
//! client-go, package `leaderelection`: clocks may differ by any amount, but not in speed. Jepsen, etcd 3.4.3: a lock
//! that ends by time excludes nobody without a check where the writes arrive.

use std::time::Duration;

use crate::ports::Revision;

/// How often a holder appends a revision to show that it is alive. Whole seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renewal(u32);

impl Renewal {
    /// Returns a renewal every so many seconds, `None` for zero.
    pub fn every(seconds: u32) -> Option<Self> {
        (seconds > 0).then_some(Self(seconds))
    }

    /// Returns the time in seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// After this time without a revision of its own, a holder appends one.
    pub fn due_after(self) -> Duration {
        Duration::from_secs(self.0.into())
    }

    /// After this time without a revision of its own, a holder begins no further write.
    pub fn stop_after(self) -> Duration {
        self.due_after() * 5 / 2
    }

    /// When the chain stood still for this time before an observer's eyes, its holder may be displaced. Twice as long
    /// as the holder waits before it stops: a write that it had begun has ended by then.
    pub fn abandoned_after(self) -> Duration {
        self.due_after() * 5
    }
}

impl Default for Renewal {
    /// Every two minutes: with it, sixteen environments in one repository stay far below the six pushes a minute that
    /// hosting services ask for.
    fn default() -> Self {
        Self(120)
    }
}

/// What a holder knows of its lock. Times are those of one clock, counted from any moment.
#[derive(Debug, Clone, Copy)]
pub struct Tenure {
    renewal: Renewal,
    proved: Duration,
}

impl Tenure {
    /// Begins when the first revision landed. `begun` is when its push was begun, as it is with [`Tenure::proved`]: the
    /// revision landed later, so the lock lasts longer than the holder thinks.
    pub fn new(renewal: Renewal, begun: Duration) -> Self {
        Self { renewal, proved: begun }
    }

    /// Notes that a further revision landed.
    pub fn proved(&mut self, begun: Duration) {
        self.proved = self.proved.max(begun);
    }

    /// Returns how long there is until the next revision is due.
    pub fn until_due(&self, now: Duration) -> Duration {
        (self.proved + self.renewal.due_after()).saturating_sub(now)
    }

    /// Tells whether a write to a cluster may begin. If not, a revision must land first.
    pub fn may_write(&self, now: Duration) -> bool {
        now < self.proved + self.renewal.stop_after()
    }
}

/// What an observer has seen of a lock that another run holds.
#[derive(Debug, Clone, Default)]
pub struct Vigil {
    seen: Option<(Revision, Duration)>,
}

impl Vigil {
    /// Returns an observer that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the newest revision; returns for how long it has been the newest before these eyes.
    pub fn silence(&mut self, newest: &Revision, now: Duration) -> Duration {
        match &self.seen {
            Some((revision, since)) if revision == newest => now.saturating_sub(*since),
            _ => {
                self.seen = Some((newest.clone(), now));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_holder_renews_then_stops_long_before_it_may_be_displaced() {
        let renewal = Renewal::every(10).unwrap();
        let mut tenure = Tenure::new(renewal, secs(100));
        assert_eq!(tenure.until_due(secs(104)), secs(6));
        assert_eq!(tenure.until_due(secs(200)), secs(0));
        assert!(tenure.may_write(secs(124)));
        assert!(!tenure.may_write(secs(125)));
        tenure.proved(secs(120));
        assert!(tenure.may_write(secs(144)));
        // Pushes may end in another order than they began.
        tenure.proved(secs(110));
        assert!(tenure.may_write(secs(144)));
        assert!(renewal.abandoned_after() >= renewal.stop_after() * 2);
    }

    #[test]
    fn an_observer_counts_from_what_it_saw_itself() {
        let mut vigil = Vigil::new();
        let (one, two) = (Revision("1".into()), Revision("2".into()));
        assert_eq!(vigil.silence(&one, secs(50)), secs(0));
        assert_eq!(vigil.silence(&one, secs(80)), secs(30));
        assert_eq!(vigil.silence(&two, secs(90)), secs(0));
        assert_eq!(vigil.silence(&two, secs(95)), secs(5));
        assert_eq!(vigil.silence(&two, secs(60)), secs(0), "a clock that was set back shows nothing");
    }

    #[test]
    fn nobody_renews_without_a_pause() {
        assert_eq!(Renewal::every(0), None);
        assert_eq!(Renewal::default().seconds(), 120);
    }
}
