//! `terrane version`

use crate::error::{CommandError, Exit};

/// Prints the version.
pub fn run() -> Result<Exit, CommandError> {
    println!("terrane {}", env!("CARGO_PKG_VERSION"));
    Ok(Exit::Success)
}
