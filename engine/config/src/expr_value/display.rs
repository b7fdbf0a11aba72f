//! How a value is shown in a diagnostic.

use std::fmt::{self, Write};

use super::{Entries, ExprValue, Items, Kind};

/// How many characters of a value a diagnostic shows.
const SHOWN_CHARS: usize = 120;

/// Prints the value as it would be written, on one line and cut to 120 characters.
///
/// Sensitive parts print as `(sensitive value)`, unknown ones as `(known after apply)`.
impl fmt::Display for ExprValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cut = Cut { out: f, left: SHOWN_CHARS };
        // The cut itself is what stops the printing, so an error of it is no error here.
        let complete = write_value(&mut cut, self).is_ok();
        if complete || cut.left > 0 { Ok(()) } else { f.write_str("…") }
    }
}

impl fmt::Debug for ExprValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A kind does not know whether it is sensitive.
        f.write_str("Kind")
    }
}

/// Passes on the first characters only.
struct Cut<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    left: usize,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.out.write_char(char)?;
        }
        Ok(())
    }
}

fn write_value(out: &mut impl Write, value: &ExprValue) -> fmt::Result {
    if value.is_sensitive() {
        return out.write_str("(sensitive value)");
    }
    match value.kind() {
        Kind::Null => out.write_str("null"),
        Kind::Bool(bool) => write!(out, "{bool}"),
        Kind::Number(number) => write!(out, "{number}"),
        Kind::String(text) => write!(out, "{text:?}"),
        Kind::List(items) | Kind::Tuple(items) => write_items(out, items),
        Kind::Set(items) => {
            out.write_str("toset(")?;
            write_items(out, items)?;
            out.write_str(")")
        }
        Kind::Map(entries) | Kind::Object(entries) => write_entries(out, entries),
        Kind::Unknown(_) => out.write_str("(known after apply)"),
    }
}

fn write_items(out: &mut impl Write, items: &Items) -> fmt::Result {
    out.write_str("[")?;
    for (idx, item) in items.iter().enumerate() {
        out.write_str(if idx > 0 { ", " } else { "" })?;
        write_value(out, item)?;
    }
    out.write_str("]")
}

fn write_entries(out: &mut impl Write, entries: &Entries) -> fmt::Result {
    if entries.is_empty() {
        return out.write_str("{}");
    }
    out.write_str("{ ")?;
    for (idx, (key, value)) in entries.iter().enumerate() {
        out.write_str(if idx > 0 { ", " } else { "" })?;
        if is_name(key) {
            write!(out, "{key} = ")?;
        } else {
            write!(out, "{key:?} = ")?;
        }
        write_value(out, value)?;
    }
    out.write_str(" }")
}

/// Tells whether a key can be written without quotes.
fn is_name(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
