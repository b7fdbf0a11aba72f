//! All integration tests in one binary: the built command is run as a user would run it.

// A test that cannot go on fails.
#![allow(clippy::panic)]

mod access;
mod bad_input;
mod canary;
mod clones;
mod cluster;
mod codes;
mod console;
mod crash;
mod credentials;
mod delivery;
mod environment;
mod faults;
mod files;
mod interrupt;
mod laws;
mod leaks;
mod mistakes;
mod published;
mod requests;
mod runs;
mod sandbox;
mod scenarios;
mod streams;
mod takeover;
mod tidy;
mod waves;
