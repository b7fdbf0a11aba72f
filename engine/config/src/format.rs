//! The canonical style of definitions: what `terrane fmt` writes.
//!
//! Two spaces a level, one space between tokens, `=` and trailing comments of consecutive lines aligned, one
//! blank line between blocks and nowhere two. Line breaks, comments and the text of strings and heredocs stay.

mod layout;
mod lexer;

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostics, SourceFile};

use crate::syntax::parse;

/// Rewrites a definition in the canonical style. Formatting twice changes nothing more, and the meaning stays.
///
/// # Errors
/// The syntax errors of the text.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let file = SourceFile { path: "<input>".to_owned(), text: text.to_owned() };
    parse(&Arc::new(file))?;
    Ok(layout::layout(&lexer::lines(text)))
}

#[cfg(test)]
mod tests;
