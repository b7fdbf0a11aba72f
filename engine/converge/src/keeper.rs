//! Keeps the lock of a run while it goes on, and releases it at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use engine_core::object_ref::ObjectRef;
use engine_core::plan::outcome::Outcome;
use engine_core::ports::{StateError, Stored};
use engine_core::state::Output;
use engine_core::value::Text;
use tokio::sync::watch;
use tokio::task;

use crate::clock::Clock;
use crate::journal::Journal;

/// The soonest that a sign of life is repeated that could not be given.
const RETRY: Duration = Duration::from_secs(1);

/// The journal of a run with its clock.
#[derive(Clone)]
pub(crate) struct Keeper {
    journal: Arc<Journal>,
    clock: Arc<Clock>,
}

impl Deref for Keeper {
    type Target = Journal;

    fn deref(&self) -> &Journal {
        &self.journal
    }
}

impl Keeper {
    pub(crate) fn new(journal: Journal, clock: Clock) -> Self {
        Self { journal: Arc::new(journal), clock: Arc::new(clock) }
    }

    /// Gives signs of life when they are due. Sends `true` when another run has taken the lock.
    pub(crate) async fn keep_alive(&self, stop: &watch::Sender<bool>) -> Infallible {
        loop {
            tokio::time::sleep(self.journal.until_due(self.clock.now())).await;
            if let Err(error) = self.renew().await {
                tracing::warn!(%error, "progress could not be recorded");
                if self.journal.is_displaced() {
                    stop.send_replace(true);
                    return std::future::pending().await;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Makes sure of the lock before a write to a cluster begins.
    pub(crate) async fn require(&self) -> Result<(), Outcome> {
        if self.journal.may_write(self.clock.now()) {
            return Ok(());
        }
        self.renew().await.map_err(|error| Outcome::Held(format!("the lock may be lost: {error}")))
    }

    /// Records the results and releases the lock. What is open stays intended. A remote that does not answer is asked
    /// again for a while.
    ///
    /// # Errors
    /// Another run has the lock, or the state cannot be written.
    pub(crate) async fn release(
        &self,
        outputs: BTreeMap<Text, Output>,
        open: BTreeSet<ObjectRef>,
        summary: String,
    ) -> Result<Stored, StateError> {
        let journal = self.journal.clone();
        let conclude = move || {
            journal.conclude(outputs, &open);
            Ok(())
        };
        blocking(conclude).await?;
        let release = || async {
            let (journal, summary, now) = (self.journal.clone(), summary.clone(), self.clock.now());
            blocking(move || journal.release(&summary, now)).await
        };
        let passes = |error: &StateError| {
            matches!(error, StateError::Unreachable(_) | StateError::Unknown { .. } | StateError::Stuck(_))
        };
        let pauses = ExponentialBuilder::default().with_jitter().with_min_delay(RETRY).with_max_times(4);
        release.retry(pauses).when(passes).await
    }

    async fn renew(&self) -> Result<(), StateError> {
        let (journal, now) = (self.journal.clone(), self.clock.now());
        blocking(move || journal.renew(now)).await
    }
}

/// Runs what waits for `git` where it holds up nobody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
) -> Result<T, StateError> {
    let ended = task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(StateError::Local(format!("a fault of this program: {error}"))))
}
