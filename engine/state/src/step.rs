//! The law of the chain: what links one revision to the next.

use std::fmt::Display;

use engine_core::mark::Lineage;
use engine_core::ports::StateError;
use engine_core::state::State;

/// What links one revision of a chain to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) lineage: Lineage,
    pub(crate) serial: u64,
    pub(crate) epoch: u64,
}

impl Step {
    pub(crate) fn of(state: &State) -> Self {
        Self { lineage: state.lineage.clone(), serial: state.serial, epoch: state.epoch }
    }
}

/// Checks that a revision may follow another one; returns why not.
pub(crate) fn check_successor(parent: &Step, next: &Step) -> Result<(), String> {
    if parent.lineage != next.lineage {
        Err(format!("lineage {} follows lineage {}", next.lineage, parent.lineage))
    } else if Some(next.serial) != parent.serial.checked_add(1) {
        Err(format!("serial {} follows serial {}", next.serial, parent.serial))
    } else if next.epoch < parent.epoch {
        Err(format!("epoch {} follows epoch {}", next.epoch, parent.epoch))
    } else {
        Ok(())
    }
}

/// Returns the error of a state that a store refuses to append.
pub(crate) fn refused(reason: impl Display) -> StateError {
    StateError::Invalid(reason.to_string())
}
