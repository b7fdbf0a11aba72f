//! Parsing a file, with every syntax error that can be told apart.

mod brackets;
mod empty_heredoc;
pub(crate) mod lexer;
mod line_ends;
mod mistakes;
mod recover;

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostics, SourceFile};
use hcl_edit::structure::Body;

use crate::json;
use crate::nesting::with_room;

pub(crate) use self::empty_heredoc::expression;
pub(crate) use self::line_ends::check_expression;

/// Parses a file: HCL's native syntax, or its JSON form if the name ends with `.json`.
///
/// The parser stops at its first error. Then the file is taken apart into blocks and arguments, each parsed on its
/// own, so that each is reported with its own error.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<Body, Diagnostics> {
    with_room(|| match file.path.ends_with(".json") {
        true => json::parse(file),
        false => {
            let body = empty_heredoc::body(&file.text).map_err(|error| recover::faults(file, &error))?;
            line_ends::check(file, &body).map(|()| body)
        }
    })
}

#[cfg(test)]
mod tests;
