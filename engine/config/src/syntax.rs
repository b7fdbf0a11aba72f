//! Parsing a file, with every syntax error that can be told apart.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::parser::parse_body;
use hcl_edit::structure::Body;

use crate::codes::{DUPLICATE, SYNTAX};

/// How many syntax errors of one file are reported.
const MAX_ERRORS: usize = 10;

/// Parses a file.
///
/// The parser stops at its first error; parsing begins again at the next line that looks like the head of a
/// top-level block, so that errors in several blocks are all reported.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<Body, Diagnostics> {
    let mut faults = Diagnostics::default();
    let mut base = 0;
    while faults.len() < MAX_ERRORS {
        match parse_body(&file.text[base..]) {
            Ok(body) if faults.is_empty() => return Ok(body),
            Ok(_) => break,
            Err(error) => {
                let offset = base + error.location().offset();
                faults.push(fault(file, offset, error.message()));
                match next_block(&file.text, offset) {
                    Some(next) => base = next,
                    None => break,
                }
            }
        }
    }
    Err(faults)
}

fn fault(file: &Arc<SourceFile>, offset: usize, message: &str) -> Diagnostic {
    // At the end of the text the parser may point into the last character.
    let start = file.text.floor_char_boundary(offset);
    let end = file.text.ceil_char_boundary(start + 1);
    let span = SourceSpan::new(Arc::clone(file), start..end);
    if message.contains("redefined attribute") {
        return Diagnostic::error(DUPLICATE, "argument is set twice in the same block").at(span);
    }
    Diagnostic::error(SYNTAX, format!("syntax error: {message}")).at(span)
}

/// Returns the start of the first line behind `offset` that looks like the head of a top-level block.
fn next_block(text: &str, offset: usize) -> Option<usize> {
    let mut at = offset + text.get(offset..)?.find('\n')? + 1;
    for line in text[at..].split_inclusive('\n') {
        let head = line.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if head && line.contains('{') && !line.contains('=') {
            return Some(at);
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests;
