//! The pure heart of Terrane: values, identity, resources and their graph, triage and plan.
//!
//! Invariant: nothing here performs I/O, reads a clock or draws a random number. Crates around this one
//! implement the [`ports`].

pub mod address;
pub mod diagnostic;
pub mod field_path;
pub mod fields;
mod number;
pub mod object_ref;
pub mod value;
