//! Finding all syntax errors of a file, by parsing its parts one by one.

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use hcl_edit::parser::Error;

use super::brackets::{self, Part};
use super::lexer::{self, Token, is_head};
use super::{empty_heredoc, mistakes};

/// How many syntax errors of one file are reported.
const MAX_ERRORS: usize = 20;

/// How deep blocks are taken apart. Beyond it, a block is reported with its first error.
const MAX_DEPTH: usize = 32;

/// Returns the syntax errors of a file whose parsing failed with `error`.
pub(super) fn faults(file: &Arc<SourceFile>, error: &Error) -> Diagnostics {
    let lines = lexer::lines(&file.text);
    let mut search = Search { file, faults: Vec::new() };
    search.region(&lines, MAX_DEPTH);
    if search.faults.is_empty() {
        // Each part is right, and together they are not: an argument that is set twice, for example.
        search.faults.push(mistakes::fault(file, &lines, error.location().offset(), error.message()));
    }
    let faults = search.faults.into_iter().collect::<Diagnostics>().sorted();
    faults.into_iter().take(MAX_ERRORS).collect()
}

struct Search<'a> {
    file: &'a Arc<SourceFile>,
    faults: Vec<Diagnostic>,
}

impl Search<'_> {
    /// Reports the errors of the lines of one body.
    fn region(&mut self, lines: &[Vec<Token<'_>>], depth: usize) {
        let (parts, faults) = brackets::parts(self.file, lines);
        self.faults.extend(faults);
        for part in parts {
            if self.faults.len() >= MAX_ERRORS {
                return;
            }
            self.part(lines, &part, depth);
        }
    }

    /// Reports the errors of one block or argument.
    fn part(&mut self, lines: &[Vec<Token<'_>>], part: &Part, depth: usize) {
        let Range { start, end } = part.lines;
        let (Some(first), Some(last)) = (lines[start].first(), lines[end - 1].last()) else { return };
        if !part.is_whole {
            return;
        }
        // With the line break: the parser tells more of an argument that ends than of a file that does.
        let last = last.range().end;
        let range = first.start..self.file.text[last..].find('\n').map_or(last, |len| last + len + 1);
        let Err(error) = empty_heredoc::body(&self.file.text[range.clone()]) else { return };
        let before = self.faults.len();
        let too_deep = error.message().contains("nesting depth");
        if depth > 0 && !too_deep && is_open_head(&lines[start]) && is_end(&lines[end - 1]) && end - start > 2
        {
            self.head(&lines[start..=start]);
            self.region(&lines[start + 1..end - 1], depth - 1);
        }
        if self.faults.len() == before {
            let offset = range.start + error.location().offset();
            self.faults.push(mistakes::fault(self.file, &lines[start..end], offset, error.message()));
        }
    }

    /// Reports an error in the head of a block.
    fn head(&mut self, line: &[Vec<Token<'_>>]) {
        let (Some(first), Some(brace)) = (line[0].first(), line[0].iter().find(|token| token.is("{"))) else {
            return;
        };
        let head = format!("{}}}\n", &self.file.text[first.start..=brace.start]);
        if let Err(error) = empty_heredoc::body(&head) {
            let offset = first.start + error.location().offset();
            self.faults.push(mistakes::fault(self.file, line, offset, error.message()));
        }
    }
}

/// Tells whether a line is the head of a block of many lines.
fn is_open_head(line: &[Token<'_>]) -> bool {
    let mut code = line.iter().filter(|token| token.kind != lexer::Kind::Comment);
    is_head(line) && code.next_back().is_some_and(|last| last.is("{"))
}

/// Tells whether a line is the end of a block and nothing else.
fn is_end(line: &[Token<'_>]) -> bool {
    let mut code = line.iter().filter(|token| token.kind != lexer::Kind::Comment);
    code.next().is_some_and(|token| token.is("}")) && code.next().is_none()
}
