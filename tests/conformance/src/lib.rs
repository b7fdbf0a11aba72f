//! Compares the sandbox with a real Kubernetes API server: the same requests go to both, and the answers are held
//! against each other.
//!
//! The real server is right by definition; no answer is recorded anywhere.

// A comparison that cannot be made fails.
#![allow(clippy::panic)]

pub mod answer;
pub mod case;
pub mod servers;

/// Plays something in a namespace, and once more in another one if it fails there.
///
/// The real server draws the order of some lists anew each time, and a second may end between two requests: what
/// differs once is printed, what differs again is a difference of the servers.
///
/// # Errors
/// It fails in both.
pub fn settled(namespace: &str, play: impl Fn(&str) -> Result<(), String>) -> Result<(), String> {
    let Err(first) = play(namespace) else { return Ok(()) };
    let second = play(&format!("{namespace}-again"));
    if second.is_ok() {
        eprintln!("{namespace} differed once:\n{first}");
    }
    second
}
