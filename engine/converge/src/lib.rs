//! Brings clusters to what a plan says: reads them, asks them for predictions, applies and waits.
//!
//! Invariant: this is the only crate that writes to clusters, and it writes only what a plan shows.

pub mod read;
pub mod rebuild;
pub mod surroundings;

pub mod predict;

pub mod apply;
mod clock;
mod conditions;
pub mod contents;
mod execute;
pub mod gate;
mod journal;
mod keeper;
mod known;
mod release;
mod wait;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_core::object_ref::ClusterRef;
use engine_core::ports::ClusterProvider;

/// The providers of an environment's clusters.
pub type Providers = BTreeMap<ClusterRef, Arc<dyn ClusterProvider>>;
