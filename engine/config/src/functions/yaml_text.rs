//! `yamlencode`: the text that Terraform writes, to the byte, so that what holds it does not change with the tool.
//!
//! All text is quoted, and text of several lines stands in a literal block.
//!
//! # Source
//! `go-cty-yaml` 1.2, `Marshal`, as run by the tests.

use crate::expr_value::{ExprValue, Kind};

/// Columns after which double-quoted text is broken at the next space.
const WIDTH: usize = 80;
/// Bytes of the longest key that stands before its colon; a longer one is marked with `?`.
const SIMPLE_KEY: usize = 128;
/// Columns per level.
const STEP: usize = 2;

/// Returns a value, which is known as a whole, as a YAML document.
pub(super) fn yaml(value: &ExprValue) -> String {
    let mut writer = Writer { out: String::new() };
    writer.node(value, 0, Before::Document);
    writer.end_line();
    if is_plain(value) {
        writer.out.push_str("...\n");
    }
    writer.out
}

/// What a node stands behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Document,
    /// `- ` or `? `: a collection begins on the same line, one level deeper.
    Dash,
    /// `KEY:`: a list begins on the next line, in the key's column.
    Colon,
}

/// Tells whether a value is written without quotes or brackets.
fn is_plain(value: &ExprValue) -> bool {
    matches!(value.kind(), Kind::Null | Kind::Unknown(_) | Kind::Bool(_) | Kind::Number(_))
}

struct Writer {
    out: String,
}

impl Writer {
    /// Writes a node inside a collection at `column`.
    fn node(&mut self, value: &ExprValue, column: usize, before: Before) {
        let inner = if before == Before::Document { column } else { column + STEP };
        match value.kind() {
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) if !items.is_empty() => {
                let at = if before == Before::Colon { column } else { inner };
                for (idx, item) in items.iter().enumerate() {
                    self.entry(idx > 0, at, before);
                    self.out.push('-');
                    self.node(item, at, Before::Dash);
                }
            }
            Kind::Map(entries) | Kind::Object(entries) if !entries.is_empty() => {
                for (idx, (key, value)) in entries.iter().enumerate() {
                    self.entry(idx > 0, inner, before);
                    self.key(key, inner, value);
                }
            }
            _ => self.scalar(value, before, column),
        }
    }

    /// Goes to where an entry of a collection begins.
    fn entry(&mut self, is_later: bool, column: usize, before: Before) {
        if is_later || before == Before::Colon {
            self.end_line();
            self.out.extend(std::iter::repeat_n(' ', column));
        } else if before == Before::Dash {
            self.out.push(' ');
        }
    }

    fn key(&mut self, key: &str, column: usize, value: &ExprValue) {
        if key.len() <= SIMPLE_KEY && !key.contains(is_break) {
            self.quoted(key, None);
            self.out.push(':');
            return self.node(value, column, Before::Colon);
        }
        self.out.push_str("? ");
        self.text(key, column + STEP);
        self.end_line();
        self.out.extend(std::iter::repeat_n(' ', column));
        self.out.push(':');
        self.node(value, column, Before::Dash);
    }

    fn scalar(&mut self, value: &ExprValue, before: Before, column: usize) {
        if before != Before::Document {
            self.out.push(' ');
        }
        match value.kind() {
            Kind::Null | Kind::Unknown(_) => self.out.push_str("null"),
            Kind::Bool(bool) => self.out.push_str(if *bool { "true" } else { "false" }),
            Kind::Number(number) => self.out.push_str(&number.to_string()),
            Kind::String(text) => self.text(text, column + STEP),
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => self.out.push_str("[]"),
            Kind::Map(_) | Kind::Object(_) => self.out.push_str("{}"),
        }
    }

    /// Writes text whose further lines stand at `column`.
    fn text(&mut self, text: &str, column: usize) {
        let breaks_after_space = text.contains(" \n");
        let is_literal = text.contains('\n')
            && !text.ends_with(' ')
            && !breaks_after_space
            && text.chars().all(is_printable);
        if is_literal { self.literal(text, column) } else { self.quoted(text, Some(column)) }
    }

    fn literal(&mut self, text: &str, column: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push_str(&STEP.to_string());
        }
        let lines = text.strip_suffix('\n');
        self.out.push_str(match lines {
            None => "-",
            Some(lines) if lines.is_empty() || lines.ends_with('\n') => "+",
            Some(_) => "",
        });
        for line in lines.unwrap_or(text).split('\n') {
            self.out.push('\n');
            if !line.is_empty() {
                self.out.extend(std::iter::repeat_n(' ', column));
                self.out.push_str(line);
            }
        }
        self.out.extend(lines.map(|_| '\n'));
    }

    /// Writes text in double quotes, on several lines from `fold` on if that is given.
    fn quoted(&mut self, text: &str, fold: Option<usize>) {
        self.out.push('"');
        let mut after_space = false;
        for (at, char) in text.char_indices() {
            let is_inside = at > 0 && at + 1 < text.len();
            match (char, fold) {
                (' ', Some(column)) if !after_space && is_inside && self.column() > WIDTH => {
                    self.out.push('\n');
                    self.out.extend(std::iter::repeat_n(' ', column));
                    if text[at + 1..].starts_with(' ') {
                        self.out.push('\\');
                    }
                }
                ('"' | '\\', _) => self.out.extend(['\\', char]),
                (char, _) if char != '\n' && is_printable(char) => self.out.push(char),
                (char, _) => self.out.push_str(&escape(char)),
            }
            after_space = char == ' ';
        }
        self.out.push('"');
    }

    /// Returns the characters of the last line.
    fn column(&self) -> usize {
        let start = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[start..].chars().count()
    }

    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }
}

fn is_break(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Tells whether a character may stand in a document as it is.
fn is_printable(char: char) -> bool {
    matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}')
        || matches!(char, '\u{ff00}'..='\u{fffd}')
}

/// # Source
/// YAML 1.2, 5.7: escaped characters.
fn escape(char: char) -> String {
    let short = match char {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            return match u32::from(char) {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
