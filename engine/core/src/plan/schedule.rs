//! The order in which a plan's changes are made.
