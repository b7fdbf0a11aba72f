//! Heredocs without a line between their marks.
//!
//! The parser looks for the closing mark behind a line of text only, and reads on to the next line that is like it: up to
//! the end of another heredoc. So it is given `("")` in the same place, as long.

use std::borrow::Cow;

use hcl_edit::expr::Expression;
use hcl_edit::parser::{Error, parse_body, parse_expr};
use hcl_edit::structure::Body;

use super::lexer::{self, Kind};

/// Parses a file or a part of one. Places are those of the text.
pub(super) fn body(text: &str) -> Result<Body, Error> {
    parse_body(&without_empty_heredocs(text))
}

/// Parses an expression. Places are those of the text.
pub(crate) fn expression(text: &str) -> Result<Expression, Error> {
    parse_expr(&without_empty_heredocs(text))
}

fn without_empty_heredocs(text: &str) -> Cow<'_, str> {
    // Where there is none, as nearly always, the lexer need not look at the text.
    if !text.match_indices("<<").any(|(at, _)| is_empty(&text[at..])) {
        return text.into();
    }
    let mut replaced = text.to_owned();
    for token in lexer::lines(text).iter().flatten().filter(|token| token.kind == Kind::Heredoc) {
        if is_empty(token.text) {
            let is_end = |byte: u8| matches!(byte, b'\n' | b'\r');
            let blank = token.text.bytes().map(|byte| if is_end(byte) { byte.into() } else { ' ' });
            // In parentheses, so that the line end inside does not end an argument.
            let mut quoted: String = "(\"\"".chars().chain(blank.skip(3)).collect();
            quoted.replace_range(quoted.len() - 1.., ")");
            replaced.replace_range(token.range(), &quoted);
        }
    }
    replaced.into()
}

/// Tells whether text that begins with `<<` is a heredoc whose second line closes it.
fn is_empty(text: &str) -> bool {
    let mut lines = text.lines();
    let mark = lines.next().unwrap_or_default().trim_start_matches('<').trim_start_matches('-').trim();
    !mark.is_empty() && lines.next().is_some_and(|line| line.trim() == mark)
}
