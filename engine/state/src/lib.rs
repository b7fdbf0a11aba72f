//! The state of an environment and the Git store that keeps it.
