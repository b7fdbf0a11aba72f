//! Taking a body apart into its blocks and arguments, by brackets and, where these do not match, by indentation.

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, SourceFile, SourceSpan};

use super::lexer::{Kind, Token, is_head};
use crate::codes::SYNTAX;

/// A block or an argument.
pub(super) struct Part {
    /// Its lines.
    pub(super) lines: Range<usize>,
    /// Whether its brackets match, so that it can be parsed on its own.
    pub(super) is_whole: bool,
}

/// Returns the parts of a body, and what is wrong with its brackets, strings and heredocs.
pub(super) fn parts(file: &Arc<SourceFile>, lines: &[Vec<Token<'_>>]) -> (Vec<Part>, Vec<Diagnostic>) {
    let walk = |by_indentation| {
        let mut walk = Walk { file, by_indentation, ..Walk::new(file) };
        walk.lines(lines);
        walk
    };
    let strict = walk(false);
    let found = if strict.faults.is_empty() { strict } else { walk(true) };
    (found.parts, found.faults)
}

/// An open bracket.
struct Open<'t> {
    token: Token<'t>,
    /// Columns before the first token of its line.
    indent: usize,
    /// What to point at: the head of the block, or the bracket.
    range: Range<usize>,
}

impl Open<'_> {
    fn is_closed_by(&self, token: &Token<'_>) -> bool {
        matches!((self.token.text, token.text), ("{", "}") | ("[", "]") | ("(", ")"))
    }
}

struct Walk<'a, 't> {
    file: &'a Arc<SourceFile>,
    /// Whether indentation tells where a block ends that lacks its brace. Only asked when brackets do not match: text
    /// that is right may be indented in any way.
    by_indentation: bool,
    open: Vec<Open<'t>>,
    parts: Vec<Part>,
    faults: Vec<Diagnostic>,
    /// The first line of the part at hand.
    start: Option<usize>,
    /// How many faults there were before it.
    before: usize,
}

impl<'a, 't> Walk<'a, 't> {
    fn new(file: &'a Arc<SourceFile>) -> Self {
        Self {
            file,
            by_indentation: false,
            open: Vec::new(),
            parts: Vec::new(),
            faults: Vec::new(),
            start: None,
            before: 0,
        }
    }

    fn lines(&mut self, lines: &[Vec<Token<'t>>]) {
        for (idx, line) in lines.iter().enumerate() {
            let Some(first) = line.iter().find(|token| token.kind != Kind::Comment) else { continue };
            let indent = self.indent(first);
            let begins_anew = self.by_indentation && is_head(line);
            if begins_anew && self.open.first().is_some_and(|open| indent <= open.indent) {
                self.not_closed(0, Some(first));
                self.finish(idx);
            }
            if self.start.is_none() {
                // A brace on a line of its own belongs to the head above it.
                let above = first.is("{").then(|| self.parts.pop()).flatten();
                self.start = Some(above.map_or(idx, |part| part.lines.start));
                self.before = self.faults.len();
            }
            let open = self.open.len();
            for token in line {
                self.token(token, line, indent);
            }
            match line.iter().find(|token| token.kind == Kind::Broken) {
                // Nothing is behind it that could close anything.
                Some(token) if token.text.contains('\n') => self.open.clear(),
                // What would close them may lie in the text without an end.
                Some(_) if !is_head(line) => self.open.truncate(open),
                _ => {}
            }
            if self.open.is_empty() {
                self.finish(idx + 1);
            }
        }
        if !self.open.is_empty() {
            self.not_closed(0, None);
            self.finish(lines.len());
        }
    }

    fn finish(&mut self, end: usize) {
        if let Some(start) = self.start.take() {
            self.parts.push(Part { lines: start..end, is_whole: self.faults.len() == self.before });
        }
    }

    fn token(&mut self, token: &Token<'t>, line: &[Token<'t>], indent: usize) {
        if token.kind == Kind::Broken {
            self.faults.push(broken(self.file, token));
        } else if token.opens() {
            let labels = line.iter().take_while(|it| !it.opens()).last();
            let range = match (labels, line.first()) {
                (Some(last), Some(first)) if is_head(line) && token.start == after_head(line) => {
                    first.start..last.range().end
                }
                _ => token.range(),
            };
            self.open.push(Open { token: *token, indent, range });
        } else if token.closes() {
            let is_first = line.first() == Some(token);
            self.close(token, is_first.then_some(indent));
        }
    }

    /// Closes a bracket; `indent` is that of a bracket that begins its line.
    fn close(&mut self, token: &Token<'t>, indent: Option<usize>) {
        let matching = |open: &Open<'t>| {
            open.is_closed_by(token) && (!self.by_indentation || indent.is_none_or(|it| it >= open.indent))
        };
        let found = self.open.iter().rposition(matching);
        let found = found.or_else(|| self.open.iter().rposition(|open| open.is_closed_by(token)));
        let Some(found) = found else {
            let summary = format!("syntax error: `{}` closes nothing", token.text);
            let hint = format!("remove this `{}`, or add what it should close", token.text);
            self.faults.push(fault(self.file, token.range(), summary).hint(hint));
            return;
        };
        if found + 1 < self.open.len() {
            self.not_closed(found + 1, Some(token));
        }
        self.open.truncate(found);
    }

    /// Reports the bracket at `from`, which should have been closed before a token.
    fn not_closed(&mut self, from: usize, before: Option<&Token<'_>>) {
        let Some(open) = self.open.get(from) else { return };
        let closing = match open.token.text {
            "{" => "}",
            "[" => "]",
            _ => ")",
        };
        let what = if open.range == open.token.range() { open.token.text } else { "block" };
        let summary = match what {
            "block" => "syntax error: this block is not closed".to_owned(),
            bracket => format!("syntax error: `{bracket}` is not closed"),
        };
        let hint =
            match before.map(|token| SourceSpan::new(Arc::clone(self.file), token.range()).line_column()) {
                Some((line, _)) => format!("add the missing `{closing}` before line {line}"),
                None => format!("add the missing `{closing}`"),
            };
        self.faults.push(fault(self.file, open.range.clone(), summary).hint(hint));
        self.open.truncate(from);
    }

    /// Returns how many columns stand before a token on its line.
    fn indent(&self, token: &Token<'_>) -> usize {
        let before = &self.file.text[..token.start];
        before.len() - before.rfind('\n').map_or(0, |at| at + 1)
    }
}

/// Returns where the brace of a block's head stands.
fn after_head(line: &[Token<'_>]) -> usize {
    line.iter().find(|token| token.opens()).map_or(0, |token| token.start)
}

fn fault(file: &Arc<SourceFile>, range: Range<usize>, summary: impl Into<String>) -> Diagnostic {
    Diagnostic::error(SYNTAX, summary).at(SourceSpan::new(Arc::clone(file), range))
}

/// Reports a string, heredoc or comment without its end, where it begins.
fn broken(file: &Arc<SourceFile>, token: &Token<'_>) -> Diagnostic {
    let first_line = token.text.lines().next().unwrap_or_default().trim_end();
    let range = token.start..token.start + first_line.len();
    if token.text.starts_with("/*") {
        return fault(file, range, "syntax error: this comment has no end").hint("end it with `*/`");
    }
    if let Some(mark) = token.text.strip_prefix("<<") {
        let mark = mark.lines().next().unwrap_or_default().trim_start_matches('-').trim();
        if mark.is_empty() {
            return fault(file, range, "syntax error: a heredoc begins with `<<` and a name")
                .hint("write `<<-EOT`, the text, and `EOT` on a line of its own");
        }
        return fault(file, range, format!("syntax error: the heredoc {mark} has no end"))
            .hint(format!("write `{mark}` on a line of its own behind the text"));
    }
    let is_open = first_line.matches("${").count() + first_line.matches("%{").count();
    if is_open > first_line.matches('}').count() {
        return fault(file, range, "syntax error: `${` or `%{` in this text is not closed")
            .hint("add the missing `}`; a literal `${` is written `$${`");
    }
    fault(file, range, "syntax error: this text has no closing quote")
        .hint("add the missing `\"`; text of several lines is a heredoc: `<<-EOT`, the text, `EOT`")
}
