//! `terrane version`

use crate::error::{CommandError, Exit};
use crate::terminal::line;

/// Prints the version.
pub fn run() -> Result<Exit, CommandError> {
    line(format_args!("terrane {}", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Success)
}
