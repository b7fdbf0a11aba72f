//! `terrane docs`

use std::path::Path;

use crate::error::{CommandError, Exit};
use crate::terminal::print;

/// Prints the reference of a module as Markdown.
pub fn run(directory: &Path) -> Result<Exit, CommandError> {
    print(&engine_config::module_docs(directory)?)?;
    Ok(Exit::Success)
}
