//! Kubernetes value types and facts on built-in kinds.
//!
//! The leaf of the workspace: it does no I/O and knows nothing of clusters. [`builtin`] says which kinds
//! Kubernetes serves, [`schema`] how the fields of those kinds merge, and the remaining types are the
//! scalar values with their own grammar.

pub mod builtin;
mod duration;
mod int_or_string;
mod quantity;
pub mod schema;

pub use duration::{Duration, DurationError};
pub use int_or_string::{IntOrString, Rounding};
pub use quantity::{Quantity, QuantityError};
