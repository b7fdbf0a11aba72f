//! Parsing a file, with every syntax error that can be told apart.

use std::ops::Range;
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
/// top-level block, so that errors in several blocks are all reported. A brace that is not closed lets the
/// parser fail only in a later block, or at the end: then the block with the brace is reported as well.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<Body, Diagnostics> {
    let mut faults = Diagnostics::default();
    let mut base = 0;
    while faults.len() < MAX_ERRORS {
        match parse_body(&file.text[base..]) {
            Ok(body) if faults.is_empty() => return Ok(body),
            Ok(_) => break,
            Err(error) => {
                let offset = base + error.location().offset();
                let open = unclosed(&file.text, base, offset);
                let at_end = file.text.get(offset..).is_none_or(|rest| rest.trim().is_empty());
                if open.is_none() || !at_end {
                    faults.push(fault(file, offset, error.message()));
                }
                faults.extend(open.map(|head| not_closed(file, head)));
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
        return Diagnostic::error(DUPLICATE, "argument is set twice in the same block")
            .at(span)
            .hint("remove one of the two lines");
    }
    Diagnostic::error(SYNTAX, format!("syntax error: {message}")).at(span)
}

fn not_closed(file: &Arc<SourceFile>, head: Range<usize>) -> Diagnostic {
    Diagnostic::error(SYNTAX, "syntax error: this block has a brace that is not closed")
        .at(SourceSpan::new(Arc::clone(file), head))
        .hint("add the missing `}` before the next block")
}

/// Returns the head of the block before the one with the error at `offset`, if the file has more opening than
/// closing braces and the text from `base` up to the block with the error is not whole.
fn unclosed(text: &str, base: usize, offset: usize) -> Option<Range<usize>> {
    if text.matches('{').count() <= text.matches('}').count() {
        return None;
    }
    let mut heads = heads(text, base).take_while(|head| head.start <= offset).collect::<Vec<_>>();
    let faulty = heads.pop()?;
    parse_body(&text[base..faulty.start]).is_err().then(|| heads.pop()).flatten()
}

/// Returns the start of the first line behind `offset` that looks like the head of a top-level block.
fn next_block(text: &str, offset: usize) -> Option<usize> {
    let next_line = offset + text.get(offset..)?.find('\n')? + 1;
    heads(text, next_line).next().map(|head| head.start)
}

/// Returns the lines from `start` on that look like the head of a top-level block.
fn heads(text: &str, start: usize) -> impl Iterator<Item = Range<usize>> {
    let lines = text[start..].split_inclusive('\n').scan(start, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    lines.filter_map(|(start, line)| {
        let head = line.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let before_brace = line.split_once('{').filter(|(before, _)| head && !before.contains('='))?.0;
        Some(start..start + before_brace.trim_end().len())
    })
}

#[cfg(test)]
mod tests;
