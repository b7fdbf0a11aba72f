//! Compares the sandbox with a real Kubernetes API server: the same requests go to both, and the answers are held
//! against each other.
//!
//! The real server is right by definition; no answer is recorded anywhere.

// A comparison that cannot be made fails.
#![allow(clippy::panic)]

pub mod answer;
pub mod case;
pub mod servers;
