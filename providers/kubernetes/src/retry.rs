//! When and after how long a request is repeated.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use k8s_openapi::jiff::fmt::rfc2822;

/// The time that a request with all its repetitions may take. Waiting for a permit does not count.
pub(crate) const TOTAL: Duration = Duration::from_secs(60);
/// The longest wait that a server may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);
/// The first wait where the server names none.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The longest wait where the server names none.
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// Repetitions without any answer: a server that is not there should be reported soon.
const MAX_UNANSWERED: u32 = 3;

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever it failed for a passing reason: a read, a dry run, a write bound to a uid.
    Always,
    /// Only when the server surely kept nothing. A creation: were its first try kept, the second would see
    /// 200 instead of 201 and take the object for somebody else's.
    IfRefused,
}

/// A passing reason for which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server refused before it did anything.
    Refused(Option<Duration>),
    /// The server failed; whether it did something is open.
    Failed(Option<Duration>),
    /// No answer.
    Unanswered,
}

/// Decides on repetitions of one request.
pub(crate) struct Backoff {
    repeat: Repeat,
    /// Time used so far.
    spent: Duration,
    tries: u32,
    unanswered: u32,
}

impl Backoff {
    /// Begins with nothing spent.
    pub(crate) fn new(repeat: Repeat) -> Self {
        Self { repeat, spent: Duration::ZERO, tries: 0, unanswered: 0 }
    }

    /// Returns the time that is left.
    pub(crate) fn left(&self) -> Duration {
        TOTAL.saturating_sub(self.spent)
    }

    /// Returns how long to wait before the next try, `None` to give up.
    ///
    /// `took` is the time of the try that just failed, `chance` any number.
    pub(crate) fn next(&mut self, fault: Fault, took: Duration, chance: u64) -> Option<Duration> {
        if self.repeat == Repeat::IfRefused && !matches!(fault, Fault::Refused(_)) {
            return None;
        }
        let asked = match fault {
            Fault::Refused(asked) | Fault::Failed(asked) => asked,
            Fault::Unanswered => {
                self.unanswered += 1;
                if self.unanswered > MAX_UNANSWERED {
                    return None;
                }
                None
            }
        };
        let own = FIRST_DELAY.saturating_mul(1 << self.tries.min(16)).min(LONGEST_DELAY);
        self.tries += 1;
        // Clients that were refused together must not come back together.
        let spread = own.mul_f64(0.5 + (chance % 1000) as f64 / 2000.0);
        let delay = asked.unwrap_or_default().min(LONGEST_RETRY_AFTER) + spread;
        self.spent += took + delay;
        (self.spent < TOTAL).then_some(delay)
    }
}

/// Returns a number that differs from call to call.
pub(crate) fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Reads a `Retry-After` header: seconds, or a date.
///
/// # Source
/// RFC 9110 §10.2.3.
pub(crate) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: SystemTime = rfc2822::parse(header).ok()?.timestamp().into();
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    #[test]
    fn a_creation_is_repeated_only_when_nothing_was_kept() {
        let cases = [
            (Repeat::IfRefused, Fault::Refused(None), true),
            (Repeat::IfRefused, Fault::Failed(None), false),
            (Repeat::IfRefused, Fault::Unanswered, false),
            (Repeat::Always, Fault::Refused(None), true),
            (Repeat::Always, Fault::Failed(None), true),
            (Repeat::Always, Fault::Unanswered, true),
        ];
        for (repeat, fault, again) in cases {
            let delay = Backoff::new(repeat).next(fault, NONE, 0);
            assert_eq!(delay.is_some(), again, "{repeat:?} {fault:?}");
        }
    }

    #[test]
    fn waits_grow_and_vary_within_bounds() {
        for chance in [0, 1, 500, 999, u64::MAX] {
            let mut backoff = Backoff::new(Repeat::Always);
            let mut last = NONE;
            for attempt in 0..7 {
                let delay = backoff.next(Fault::Refused(None), NONE, chance).unwrap();
                let full = FIRST_DELAY * (1 << attempt);
                assert!(delay >= full / 2 && delay <= full, "{attempt}: {delay:?}");
                assert!(delay > last);
                last = delay;
            }
        }
    }

    #[test]
    fn the_server_is_given_the_time_it_asks_for() {
        let mut backoff = Backoff::new(Repeat::Always);
        let asked = Duration::from_secs(5);
        let delay = backoff.next(Fault::Refused(Some(asked)), NONE, 7).unwrap();
        assert!(delay >= asked && delay < asked + FIRST_DELAY);
        let absurd = Fault::Refused(Some(Duration::from_secs(86_400)));
        let delay = backoff.next(absurd, NONE, 7).unwrap();
        assert!(delay >= LONGEST_RETRY_AFTER && delay < LONGEST_RETRY_AFTER + LONGEST_DELAY);
    }

    #[test]
    fn every_request_ends() {
        let mut backoff = Backoff::new(Repeat::Always);
        let mut tries = 0;
        while backoff.next(Fault::Refused(None), NONE, 0).is_some() {
            tries += 1;
        }
        assert!((8..64).contains(&tries), "{tries}");
        assert_eq!(backoff.left(), NONE);

        let mut backoff = Backoff::new(Repeat::Always);
        assert_eq!(backoff.next(Fault::Failed(None), TOTAL, 0), None);

        let mut backoff = Backoff::new(Repeat::Always);
        let unanswered = (0..9).take_while(|_| backoff.next(Fault::Unanswered, NONE, 0).is_some());
        assert_eq!(unanswered.count(), 3);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let cases = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ];
        for (header, seconds) in cases {
            assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs), "{header}");
        }
    }
}
