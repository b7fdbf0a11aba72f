//! Heredocs without a line between their marks.
//!
//! The parser looks for the closing mark behind a line of text only, and reads on to the next line that is like it: up to
//! the end of another heredoc. So it is given empty text in quotes in the same place.

use std::borrow::Cow;

use hcl_edit::parser::{Error, parse_body};
use hcl_edit::structure::Body;

use super::lexer::{self, Kind};

/// Parses a file or a part of one. Places are those of the text.
pub(super) fn body(text: &str) -> Result<Body, Error> {
    parse_body(&without_empty_heredocs(text))
}

fn without_empty_heredocs(text: &str) -> Cow<'_, str> {
    // Where there is none, as nearly always, the lexer need not look at the text.
    if !text.match_indices("<<").any(|(at, _)| is_empty(&text[at..])) {
        return text.into();
    }
    let mut replaced = text.to_owned();
    for token in lexer::lines(text).iter().flatten().filter(|token| token.kind == Kind::Heredoc) {
        if is_empty(token.text) {
            let blank =
                token.text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { byte.into() } else { ' ' });
            let blank: String = "\"\"".chars().chain(blank.skip(2)).collect();
            replaced.replace_range(token.range(), &blank);
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
