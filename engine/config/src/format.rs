//! The canonical style of definitions: what `terrane fmt` writes.
//!
//! Two spaces a level, one space between tokens, `=` and trailing comments of consecutive lines aligned, one
//! blank line between blocks and nowhere two. Line breaks, comments and the text of strings and heredocs stay.

mod layout;

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostics, SourceFile};

use crate::hints;
use crate::syntax::{lexer, parse};

/// Returns the text of a definition in the canonical style. Formatting twice changes nothing more, and the
/// meaning stays.
///
/// # Errors
/// The syntax errors of the file.
pub fn format(file: &Arc<SourceFile>) -> Result<String, Diagnostics> {
    parse(file).map_err(|faults| hints::complete(faults).sorted())?;
    Ok(layout::layout(&lexer::lines(&file.text)))
}

#[cfg(test)]
mod tests;
