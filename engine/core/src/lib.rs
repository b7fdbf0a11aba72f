//! The pure heart of Terrane: values, identity, resources and their graph, triage and plan.
//!
//! Invariant: nothing here performs I/O, reads a clock or draws a random number. Crates around this one
//! implement the [`ports`].

pub mod diagnostic;
pub mod digest;
mod number;
pub mod value;
pub mod wait_rule;

pub mod address;
pub mod cluster;
pub mod field_path;
pub mod fields;
pub mod kind_info;
pub mod manifest;
pub mod mark;
pub mod object;
pub mod object_check;
pub mod object_ref;
pub mod rollout;
pub mod sensitive;

pub mod graph;
pub mod refactoring;
pub mod resource;

pub mod ports;
pub mod state;
pub mod status;

pub mod feasibility;
pub mod live;
pub mod lock;
pub mod plan;
pub mod prediction;
pub mod surroundings;

pub use engine_kinds::Quantity;
