//! The time that a run judges its lock by.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Counts the time since a run began. It never runs back, and never slower than the time that really passes.
///
/// The monotonic clock of an operating system may stand still while the machine sleeps, the wall clock may be set: of
/// each step the longer one counts. A clock that is set forward makes a holder renew its lock early, no more.
pub(crate) struct Clock(Mutex<Inner>);

struct Inner {
    total: Duration,
    monotonic: Instant,
    wall: SystemTime,
}

impl Clock {
    /// Begins to count.
    pub(crate) fn start() -> Self {
        Self(Mutex::new(Inner { total: Duration::ZERO, monotonic: Instant::now(), wall: SystemTime::now() }))
    }

    /// Returns the time since then.
    pub(crate) fn now(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at(Instant::now(), SystemTime::now())
    }
}

impl Inner {
    fn at(&mut self, monotonic: Instant, wall: SystemTime) -> Duration {
        let step = monotonic.saturating_duration_since(self.monotonic);
        // A wall clock that was set back says nothing.
        let slept = wall.duration_since(self.wall).unwrap_or_default();
        self.total += step.max(slept);
        (self.monotonic, self.wall) = (monotonic.max(self.monotonic), wall);
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_counts_and_a_clock_that_is_set_never_hides_time() {
        let (monotonic, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        let mut clock = Inner { total: Duration::ZERO, monotonic, wall };
        let day = 86_400;
        // Seconds of the monotonic clock and of the wall clock since the start, and what they come to.
        for (monotonic_s, wall_s, want) in [
            (1, 1, 1),
            (2, 601, 601),
            (3, 601 + day, 601 + day),
            (4, 5, 602 + day),
            (14, 15, 612 + day),
            (13, 15, 612 + day),
        ] {
            let now =
                clock.at(monotonic + Duration::from_secs(monotonic_s), wall + Duration::from_secs(wall_s));
            assert_eq!(now, Duration::from_secs(want), "{monotonic_s} {wall_s}");
        }
    }
}
