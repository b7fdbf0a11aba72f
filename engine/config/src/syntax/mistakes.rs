//! What was probably meant where the parser stopped: the mistakes of people who come from YAML, Helm or shell.

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, SourceFile, SourceSpan};

use super::lexer::{Kind, Token, is_head};
use crate::codes::{DUPLICATE, SYNTAX};

/// Quotes that word processors and chats put in the place of `"`.
const CURLY: [char; 9] = ['“', '”', '„', '‟', '‘', '’', '‚', '«', '»'];

/// Builds the diagnostic for an error of the parser at `offset`, within the lines of one part of a file.
pub(super) fn fault(
    file: &Arc<SourceFile>,
    lines: &[Vec<Token<'_>>],
    offset: usize,
    message: &str,
) -> Diagnostic {
    let offset = file.text.floor_char_boundary(offset);
    let stop = Stop::find(&file.text, lines, offset, message);
    let Mistake { range, summary, hint } = stop.mistake();
    let span = SourceSpan::new(Arc::clone(file), range);
    if message.contains("redefined attribute") {
        return Diagnostic::error(DUPLICATE, summary).at(span).hint(hint);
    }
    let mut fault = Diagnostic::error(SYNTAX, format!("syntax error: {summary}")).at(span);
    fault.hint = Some(hint).filter(|hint| !hint.is_empty());
    fault
}

/// What was done, where, and what to do in its place.
struct Mistake {
    range: Range<usize>,
    summary: String,
    hint: String,
}

/// The place where the parser stopped.
struct Stop<'a> {
    text: &'a str,
    lines: &'a [Vec<Token<'a>>],
    offset: usize,
    message: &'a str,
    /// The line with the place, without its comments.
    line: Vec<Token<'a>>,
    /// The first token of the line that ends behind the place: `line.len()` at its end.
    idx: usize,
    /// The brackets open before the place.
    open: Vec<Token<'a>>,
}

impl<'a> Stop<'a> {
    fn find(text: &'a str, lines: &'a [Vec<Token<'a>>], offset: usize, message: &'a str) -> Self {
        let starts = |line: &Vec<Token<'_>>| line.first().is_some_and(|token| token.start <= offset);
        let line = lines.iter().rev().find(|line| starts(line)).or_else(|| lines.first());
        let code = |token: &&Token<'a>| token.kind != Kind::Comment;
        let line: Vec<Token<'a>> = line.into_iter().flatten().filter(code).copied().collect();
        let idx = line.iter().position(|token| token.range().end > offset).unwrap_or(line.len());
        let mut open: Vec<Token<'a>> = Vec::new();
        for token in lines.iter().flatten().take_while(|token| token.start < offset) {
            if token.opens() {
                open.push(*token);
            } else if token.closes() {
                open.pop();
            }
        }
        Self { text, lines, offset, message, line, idx, open }
    }

    fn token(&self) -> Option<&Token<'a>> {
        self.line.get(self.idx)
    }

    fn before(&self) -> Option<&Token<'a>> {
        self.line.get(self.idx.checked_sub(1)?)
    }

    /// Returns the place of the token at which the parser stopped, or the end of the line.
    fn range(&self) -> Range<usize> {
        match (self.token(), self.line.last()) {
            (Some(token), _) if !token.text.contains('\n') => token.range(),
            (Some(token), _) => token.start..self.text.ceil_char_boundary(token.start + 1),
            (None, Some(last)) => last.range().end..self.text.ceil_char_boundary(last.range().end + 1),
            (None, None) => self.offset..self.text.ceil_char_boundary(self.offset + 1),
        }
    }

    fn here(&self, summary: impl Into<String>, hint: impl Into<String>) -> Mistake {
        Mistake { range: self.range(), summary: summary.into(), hint: hint.into() }
    }

    fn at(&self, token: &Token<'_>, summary: impl Into<String>, hint: impl Into<String>) -> Mistake {
        Mistake { range: token.range(), summary: summary.into(), hint: hint.into() }
    }

    fn mistake(&self) -> Mistake {
        let found = self.of_the_parser().or_else(|| self.of_characters()).or_else(|| self.of_operators());
        let found = found.or_else(|| self.of_numbers());
        let found = found.or_else(|| self.of_structure()).or_else(|| self.of_values());
        found.unwrap_or_else(|| self.unexpected())
    }

    /// What the parser's own message tells.
    fn of_the_parser(&self) -> Option<Mistake> {
        let (summary, hint) = match self.message {
            message if message.contains("redefined attribute") => {
                ("argument is set twice in the same block", "remove one of the two lines")
            }
            message if message.contains("nesting depth") => {
                ("more than 64 levels of nesting", "move inner parts into `locals`")
            }
            message if message.contains("chained binary operators") => {
                ("more than 128 operators in one expression", "move parts of it into `locals`")
            }
            message if message.contains("escape sequence") || message.contains("hex code") => {
                let end = self.text.ceil_char_boundary(self.offset + 1);
                let start = self.text[..end].rfind('\\').unwrap_or(self.offset);
                return Some(Mistake {
                    range: start..self.text.ceil_char_boundary(start + 2),
                    summary: "this is no escape sequence".into(),
                    hint: "there are \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN; a backslash itself is written \\\\"
                        .into(),
                });
            }
            _ => return None,
        };
        Some(self.here(summary, hint))
    }

    /// Characters that do not belong into HCL.
    fn of_characters(&self) -> Option<Mistake> {
        let words = self.line.iter().filter(|token| matches!(token.kind, Kind::Ident | Kind::Punct));
        for (at, char) in
            words.flat_map(|token| token.text.char_indices().map(|(at, char)| (token.start + at, char)))
        {
            let (summary, hint) = match char {
                _ if CURLY.contains(&char) => {
                    (format!("`{char}` is not a quote of HCL"), "write text in straight quotes: \"…\"")
                }
                '\'' => ("text stands in double quotes".to_owned(), "write \"…\" in place of '…'"),
                ';' => ("there is no `;` in HCL".to_owned(), "end an argument with a line break"),
                '\u{feff}' => {
                    ("the file begins with a byte order mark".to_owned(), "save it as UTF-8 without one")
                }
                '\u{a0}' => ("this is a no-break space".to_owned(), "write a plain space in its place"),
                _ => continue,
            };
            return Some(Mistake { range: at..at + char.len_utf8(), summary, hint: hint.into() });
        }
        None
    }

    /// Operators of other languages.
    fn of_operators(&self) -> Option<Mistake> {
        let token = self.line.iter().find(|token| token.is("&") || token.is("|"))?;
        Some(self.at(token, format!("there is no operator `{}`", token.text), "write `&&` or `||`"))
    }

    /// Numbers that the parser does not take: it reads their size as a float first.
    fn of_numbers(&self) -> Option<Mistake> {
        let is_too_large = |text: &str| text.parse::<f64>().is_ok_and(f64::is_infinite);
        let mut numbers = self.line.iter().filter(|token| token.kind == Kind::Number);
        let token = numbers.find(|token| is_too_large(token.text))?;
        Some(self.at(token, "this number is larger than 1.7e308", "write it as text"))
    }

    /// Blocks and arguments that are not written as such.
    fn of_structure(&self) -> Option<Mistake> {
        if !self.is_body() {
            return None;
        }
        let kinds: Vec<Kind> = self.line.iter().map(|token| token.kind).collect();
        let is = |idx: usize, text: &str| self.line.get(idx).is_some_and(|token| token.is(text));
        let first = self.line.first()?;
        let labels = kinds.iter().skip(1).take_while(|kind| **kind == Kind::Quoted).count();
        let head = || self.line[..=labels].iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
        if matches!(first.text, "?" | ":" | "&&" | "||" | "+" | "-" | "*" | "/" | "." | "==" | "!=") {
            let hint = "put the expression into parentheses to write it on several lines";
            return Some(self.at(first, "an expression ends with its line", hint));
        }
        match kinds[..] {
            [Kind::Ident, Kind::Punct, ..] if is(1, ":") => {
                let hint = format!("write `{} = …`, or `{} {{ … }}` for a block", first.text, first.text);
                Some(self.at(&self.line[1], "an argument is set with `=`, not with `:`", hint))
            }
            [Kind::Ident, Kind::Punct, ..] if is(1, "==") => {
                let hint = format!("write `{} = …`", first.text);
                Some(self.at(&self.line[1], "an argument is set with `=`; `==` compares", hint))
            }
            [Kind::Quoted, Kind::Punct, ..] if is(1, "=") || is(1, ":") => {
                let name = first.text.trim_matches('"');
                let hint = format!("write `{name} = …`");
                Some(self.at(first, "the name of an argument stands without quotes", hint))
            }
            [Kind::Ident, Kind::Quoted, ..] if is(labels + 1, "=") => {
                let hint = format!("write `{} {{ … }}`", head());
                Some(self.at(&self.line[labels + 1], "there is no `=` between a block and its `{`", hint))
            }
            [Kind::Ident, Kind::Quoted, ..] if self.line.len() == labels + 1 => {
                let hint = format!("write `{} {{` on one line", head());
                Some(self.here("the `{` of this block is missing", hint))
            }
            [Kind::Ident, Kind::Punct] if is(1, "=") => {
                let hint = format!("write `{} = …`, or remove the line", first.text);
                Some(self.at(&self.line[1], format!("{} has no value", first.text), hint))
            }
            [Kind::Ident] => {
                let hint = format!("write `{} = …` or `{} {{ … }}`", first.text, first.text);
                Some(self.at(first, format!("`{}` alone says nothing", first.text), hint))
            }
            _ => None,
        }
    }

    /// Expressions that are not written as such.
    fn of_values(&self) -> Option<Mistake> {
        let token = self.token();
        if let Some(pair) = self.line.windows(2).find(|pair| pair[0].is("{") && pair[1].is("{")) {
            let hint = "a reference stands alone, `var.x`, or in text, \"${var.x}\"";
            return Some(self.at(&pair[0], "`{{ … }}` is not HCL", hint));
        }
        let token = token?;
        let joins = matches!(token.text, "$" | "%") && token.kind == Kind::Punct;
        if joins && self.line.get(self.idx + 1).is_some_and(|next| next.is("{")) {
            let hint = "outside of text write the expression alone: `var.x`";
            return Some(self.here(format!("`{}{{ … }}` stands within text only", token.text), hint));
        }
        if matches!(token.text, "and" | "or" | "not") {
            let hint = "the logical operators are `&&`, `||` and `!`";
            return Some(self.here(format!("there is no operator `{}`", token.text), hint));
        }
        self.of_lists(token).or_else(|| self.of_lines(token))
    }

    /// Separators that are missing, or too many.
    fn of_lists(&self, token: &Token<'a>) -> Option<Mistake> {
        let last = self.before().or_else(|| self.line_above()?.last());
        match self.open.last().map(|open| open.text) {
            Some("[" | "(") if last.is_some_and(Token::ends_value) => {
                let begins = matches!(token.kind, Kind::Ident | Kind::Number | Kind::Quoted) || token.opens();
                begins.then(|| self.here("a comma is missing before this item", "separate items with `,`"))
            }
            Some("{") if token.is(",") && self.is_one_line_block() => {
                let hint = "write each argument on a line of its own";
                Some(self.here("a block on one line takes one argument", hint))
            }
            _ if token.is(",") && self.is_body() => {
                Some(self.here("there is no comma behind an argument", "remove the `,`"))
            }
            _ => None,
        }
    }

    /// More on one line than belongs there: text without quotes, or two arguments.
    fn of_lines(&self, token: &Token<'a>) -> Option<Mistake> {
        let key = self.line.first().filter(|key| matches!(key.kind, Kind::Ident | Kind::Quoted))?;
        let follows = self.before().is_some_and(Token::ends_value);
        if !follows || !self.line.get(1).is_some_and(|equals| equals.is("=")) {
            let in_block = self.is_one_line_block() && follows;
            return in_block.then(|| {
                self.here(
                    "a block on one line takes one argument",
                    "write each argument on a line of its own",
                )
            });
        }
        if self.line.get(self.idx + 1).is_some_and(|next| next.is("=")) {
            let hint =
                "write each argument on a line of its own, and entries of an object with `,` between them";
            return Some(self.here(format!("`{}` stands on the line of another argument", token.text), hint));
        }
        let bare = |token: &Token<'_>| match token.kind {
            Kind::Ident | Kind::Number => true,
            Kind::Punct => matches!(token.text, ":" | "/" | "." | "-" | "@" | "," | "+" | "*" | "::"),
            _ => false,
        };
        let (first, last) = (self.line.get(2)?, self.line.last()?);
        if !self.line[2..].iter().all(bare) {
            return None;
        }
        let range = first.start..last.range().end;
        let hint = format!("write `{} = \"{}\"`", key.text, &self.text[range.clone()]);
        Some(Mistake { range, summary: "text stands in quotes".into(), hint })
    }

    /// Says what stands where it cannot stand.
    fn unexpected(&self) -> Mistake {
        let what = match self.token() {
            Some(token) if token.text.chars().count() <= 20 && !token.text.contains('\n') => {
                format!("`{}` cannot stand here", token.text)
            }
            Some(_) => "this cannot stand here".to_owned(),
            None => "something is missing at the end of this line".to_owned(),
        };
        let expected = self.message.split_once("expected ").map(|(_, expected)| expected);
        // The crate tells the alternatives of its grammar, which is only of use when they are few.
        let hint =
            match expected.filter(|expected| *expected != "token" && expected.matches(", ").count() < 3) {
                Some(expected) => format!("expected {expected}"),
                None => String::new(),
            };
        self.here(what, hint)
    }

    /// Tells whether the place lies in the body of a block, or outside of all.
    fn is_body(&self) -> bool {
        let Some(open) = self.open.last() else { return true };
        let is_its_line = |line: &&Vec<Token<'_>>| line.iter().any(|token| token.start == open.start);
        let line = self.lines.iter().find(is_its_line);
        line.is_some_and(|line| is_head(line) && line.iter().find(|token| token.is("{")) == Some(open))
    }

    /// Tells whether the place lies in a block that begins on this line.
    fn is_one_line_block(&self) -> bool {
        is_head(&self.line) && self.open.last().is_some_and(|open| self.on_line(open))
    }

    fn on_line(&self, token: &Token<'_>) -> bool {
        self.line.first().is_some_and(|first| first.start <= token.start)
    }

    fn line_above(&self) -> Option<&Vec<Token<'a>>> {
        let first = self.line.first()?.start;
        self.lines.iter().rev().find(|line| line.first().is_some_and(|token| token.start < first))
    }
}
