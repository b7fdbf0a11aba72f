//! The state of an environment and the stores that keep it: a linear chain of revisions, each one a complete
//! [`State`](engine_core::state::State), advanced by compare-and-swap.
//!
//! - [`encode`] and [`decode`] are the format: three files, canonical, no manifests and no secrets. Its
//!   description is `engine/docs/state-format.md`.
//! - [`GitStore`] keeps the chain as commits under one ref per environment.
//! - [`MemoryStore`] keeps it for the life of the process.
//! - [`RunFiles`] are a run's log and lock in the work directory.
//! - [`seal_key`] and [`create_seal_key`] keep the key of sensitive digests beside the state, never in it.
//!
//! Invariant: a ref is only ever moved from the exact commit that the caller named. Nothing here forces.

#[cfg(test)]
mod contract;
mod file;
mod format;
mod git;
mod line;
mod memory;
mod random;
mod run_log;
mod seal;
mod step;

pub use format::{Files, FormatError, MAX_BYTES, decode, document, encode};
pub use git::{GitLocation, GitStore};
pub use memory::MemoryStore;
pub use random::{new_lineage, new_run};
pub use run_log::{LocalLock, RunFiles, RunLog};
pub use seal::{create_seal_key, seal_key};
