//! How many requests may be in flight: additive increase, multiplicative decrease.
//!
//! A fixed number is wrong on most clusters: API Priority and Fairness gives each identity its own share.
//! The server's 429 is the only word on how much that is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Requests in flight at first.
const START: usize = 32;
/// Never fewer than this.
const MIN: usize = 4;
/// Never more than this.
const MAX: usize = 128;

/// Limits the requests in flight.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>
pub(crate) struct Limiter {
    permits: Semaphore,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// Permits to take away that are still in use.
    owed: usize,
    /// Successes since the limit last changed.
    successes: usize,
    /// Counts decreases, so that a burst of refusals of one moment halves the limit once.
    epoch: u64,
}

/// The right to have one request in flight.
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    epoch: u64,
    permit: Option<SemaphorePermit<'a>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(START),
            state: Mutex::new(State { limit: START, owed: 0, successes: 0, epoch: 0 }),
        }
    }
}

impl Limiter {
    /// Waits for a permit. Dropping the permit gives it back.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        // The semaphore is never closed; if it were, requests would go unlimited rather than not at all.
        let permit = self.permits.acquire().await.ok();
        Permit { limiter: self, epoch: self.state().epoch, permit }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// In both, the guard is dropped before `self`, whose drop takes the lock again.
impl Permit<'_> {
    /// Notes that the server served the request: one more permit for each full round of successes.
    pub(crate) fn served(self) {
        let mut state = self.limiter.state();
        state.successes += 1;
        if state.successes < state.limit || state.limit >= MAX {
            return;
        }
        state.successes = 0;
        state.limit += 1;
        if state.owed > 0 {
            state.owed -= 1;
        } else {
            self.limiter.permits.add_permits(1);
        }
    }

    /// Notes that the server was too busy: half as many permits from now on.
    pub(crate) fn refused(self) {
        let mut state = self.limiter.state();
        if state.epoch != self.epoch {
            return;
        }
        let limit = (state.limit / 2).max(MIN);
        let surplus = state.limit - limit;
        state.limit = limit;
        state.successes = 0;
        state.epoch += 1;
        state.owed += surplus - self.limiter.permits.forget_permits(surplus);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if let Some(permit) = self.permit.take()
            && state.owed > 0
        {
            state.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// Takes permits until none is left.
    fn take_all(limiter: &Limiter) -> Vec<Permit<'_>> {
        std::iter::from_fn(|| limiter.acquire().now_or_never()).collect()
    }

    #[test]
    fn a_burst_of_refusals_halves_the_limit_once() {
        let limiter = Limiter::default();
        let burst = take_all(&limiter);
        assert_eq!(burst.len(), START);
        burst.into_iter().for_each(Permit::refused);
        assert_eq!(take_all(&limiter).len(), START / 2);
    }

    #[test]
    fn the_limit_stays_within_its_bounds() {
        let limiter = Limiter::default();
        for _ in 0..20 {
            limiter.acquire().now_or_never().unwrap().refused();
        }
        assert_eq!(take_all(&limiter).len(), MIN);
        for _ in 0..100_000 {
            limiter.acquire().now_or_never().unwrap().served();
        }
        assert_eq!(take_all(&limiter).len(), MAX);
    }

    #[test]
    fn a_round_of_successes_gives_one_more() {
        let limiter = Limiter::default();
        for _ in 0..START {
            limiter.acquire().now_or_never().unwrap().served();
        }
        assert_eq!(take_all(&limiter).len(), START + 1);
    }
}
