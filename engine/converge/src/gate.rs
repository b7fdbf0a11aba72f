//! What lies between two waves of a rollout.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use engine_core::address::Address;
use engine_core::object_ref::ClusterRef;
use engine_core::plan::outcome::Outcome;
use engine_core::ports::BoxFuture;
use engine_core::rollout::Gate;
use engine_core::value::Value;

use crate::apply::done;
use crate::execute::Executor;

/// Judges the checks of a definition while a run goes on.
pub trait Judge: Send + Sync {
    /// Returns what is wrong with checks that do not hold or cannot be judged, each with its check.
    /// `reads` are the objects read so far, by the address of the read.
    ///
    /// # Errors
    /// The definition has errors with what was read; says which.
    fn failures(
        &self,
        reads: BTreeMap<Address, Value>,
    ) -> BoxFuture<'_, Result<Vec<(Address, String)>, String>>;
}

impl Executor {
    /// Waits until a cluster may begin: all gates before it are passed. The clusters of a wave come together, and each
    /// gate is asked once.
    pub(crate) async fn pass(&self, gates: &[usize]) -> Outcome {
        let since = Instant::now();
        for gate in gates {
            let passed = self.gates[*gate].get_or_init(|| self.open(&self.plan.gates[*gate])).await;
            if !matches!(passed, Outcome::Done { .. }) {
                return passed.clone();
            }
        }
        done(since)
    }

    /// Returns the clusters before which a gate was not passed.
    pub(crate) fn waiting(&self) -> BTreeSet<&ClusterRef> {
        let gates = self.plan.gates.iter().zip(&self.gates);
        let closed = gates.filter(|(_, passed)| !matches!(passed.get(), Some(Outcome::Done { .. })));
        closed.flat_map(|(gate, _)| &gate.clusters).collect()
    }

    async fn open(&self, gate: &Gate) -> Outcome {
        let since = Instant::now();
        if let Some(soak) = gate.soak {
            self.progress.soaking(gate, soak);
            if !self.soak(soak).await {
                return Outcome::Interrupted;
            }
        }
        if !gate.checks.is_empty() {
            match self.judge.failures(self.reads()).await {
                Ok(failures) => {
                    let is_named = |check: &Address| gate.checks.iter().any(|named| check.is_within(named));
                    if let Some((_, why)) = failures.into_iter().find(|(check, _)| is_named(check)) {
                        return Outcome::Held(format!("{why}; it must hold before {}", title(gate)));
                    }
                }
                Err(why) => {
                    return Outcome::Held(format!(
                        "the checks before {} cannot be judged: {why}",
                        title(gate)
                    ));
                }
            }
        }
        if gate.approval {
            match self.journal.store().approval(&self.plan.decision_digest()) {
                Ok(Some(approval)) => tracing::info!(who = approval.who, wave = %gate.wave, "approved"),
                Ok(None) => {
                    return Outcome::Held(format!(
                        "{} begins when the plan of what is left is approved: look at `terrane plan`, then run `terrane approve DIGEST` and apply again",
                        title(gate)
                    ));
                }
                Err(error) => {
                    return Outcome::Held(format!("the approval of {} cannot be read: {error}", title(gate)));
                }
            }
        }
        done(since)
    }

    /// Returns false if the run is to end early.
    async fn soak(&self, soak: Duration) -> bool {
        let mut interrupted = self.interrupted.clone();
        tokio::select! {
            () = tokio::time::sleep(soak) => true,
            _ = interrupted.wait_for(|interrupted| *interrupted) => false,
        }
    }
}

fn title(gate: &Gate) -> String {
    format!("wave {} of rollout {}", gate.wave, gate.rollout)
}
