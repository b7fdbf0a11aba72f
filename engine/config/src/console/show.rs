//! Values and types as Terraform's console prints them.

use crate::expr_value::{ExprValue, Kind};
use crate::types::Type;

/// How far the parts of a value stand to the right of it.
const STEP: usize = 2;
/// The same for the parts of a type.
const TYPE_STEP: usize = 4;

/// Returns the text of a value: over several lines when it has parts. What is sensitive, ephemeral or unknown is not in it.
pub(super) fn value(value: &ExprValue) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// Returns the text of a type.
pub(super) fn ty(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty, 0);
    out
}

fn write_value(out: &mut String, value: &ExprValue, indent: usize) {
    if value.is_unknown() {
        return out.push_str("(known after apply)");
    }
    if value.is_ephemeral() {
        return out.push_str("(ephemeral value)");
    }
    if value.is_sensitive() {
        return out.push_str("(sensitive value)");
    }
    match value.kind() {
        Kind::Null | Kind::Unknown(_) => out.push_str(&null(&value.ty())),
        Kind::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number.to_string()),
        Kind::String(text) if text.contains('\n') => write_heredoc(out, text, indent),
        Kind::String(text) => write_quoted(out, text),
        Kind::Tuple(items) => write_items(out, items, indent),
        Kind::List(items) => wrapped(out, "tolist", |out| write_items(out, items, indent)),
        Kind::Set(items) => wrapped(out, "toset", |out| write_items(out, items, indent)),
        Kind::Object(entries) => write_entries(out, entries.iter(), indent),
        Kind::Map(entries) => wrapped(out, "tomap", |out| write_entries(out, entries.iter(), indent)),
    }
}

fn wrapped(out: &mut String, function: &str, inner: impl FnOnce(&mut String)) {
    out.push_str(function);
    out.push('(');
    inner(out);
    out.push(')');
}

fn write_items(out: &mut String, items: &[ExprValue], indent: usize) {
    out.push('[');
    for item in items {
        new_line(out, indent + STEP);
        write_value(out, item, indent + STEP);
        out.push(',');
    }
    if !items.is_empty() {
        new_line(out, indent);
    }
    out.push(']');
}

fn write_entries<'a>(
    out: &mut String,
    entries: impl ExactSizeIterator<Item = (&'a engine_core::value::Text, &'a ExprValue)>,
    indent: usize,
) {
    let empty = entries.len() == 0;
    out.push('{');
    for (key, value) in entries {
        new_line(out, indent + STEP);
        write_quoted(out, key);
        out.push_str(" = ");
        write_value(out, value, indent + STEP);
    }
    if !empty {
        new_line(out, indent);
    }
    out.push('}');
}

/// Writes text of several lines: its end is marked by a word that is none of its lines.
fn write_heredoc(out: &mut String, text: &str, indent: usize) {
    let mut end = "EOT".to_owned();
    while text.lines().any(|line| line.trim() == end) {
        end.push('_');
    }
    out.push_str(if indent > 0 { "<<-" } else { "<<" });
    out.push_str(&end);
    for line in text.split('\n') {
        new_line(out, indent);
        out.push_str(line);
    }
    new_line(out, indent);
    out.push_str(&end);
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\'' => out.push(char),
            char if char.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            // Combining marks are printed with the letter before them.
            char if unicode_normalization::char::is_combining_mark(char) => out.push(char),
            char if char.escape_debug().len() > 1 => out.push_str(&escaped(char)),
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Returns the escape of a character that has no shape, or a deceptive one.
fn escaped(char: char) -> String {
    match u32::from(char) {
        code @ ..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

fn null(ty: &Type) -> String {
    // "a list of string" is told without its article.
    let name =
        |ty: &Type| ty.friendly().split_once(' ').map_or_else(String::new, |(_, name)| name.to_owned());
    match ty {
        Type::Any => "null".to_owned(),
        Type::Bool | Type::Number | Type::String => format!("to{ty}(null)"),
        Type::List(element) => format!("tolist(null) /* of {} */", name(element)),
        Type::Set(element) => format!("toset(null) /* of {} */", name(element)),
        Type::Map(element) => format!("tomap(null) /* of {} */", name(element)),
        Type::Tuple(_) => "null /* tuple */".to_owned(),
        Type::Object(_) => "null /* object */".to_owned(),
    }
}

fn write_type(out: &mut String, ty: &Type, indent: usize) {
    match ty {
        Type::Any => out.push_str("dynamic"),
        Type::Bool | Type::Number | Type::String => out.push_str(&ty.to_string()),
        Type::List(element) => write_collection(out, "list", element, indent),
        Type::Set(element) => write_collection(out, "set", element, indent),
        Type::Map(element) => write_collection(out, "map", element, indent),
        Type::Tuple(elements) => wrapped(out, "tuple", |out| {
            out.push('[');
            for element in elements.iter() {
                new_line(out, indent + TYPE_STEP);
                write_type(out, element, indent + TYPE_STEP);
                out.push(',');
            }
            if !elements.is_empty() {
                new_line(out, indent);
            }
            out.push(']');
        }),
        Type::Object(object) => wrapped(out, "object", |out| {
            out.push('{');
            for (name, attribute) in object.iter() {
                new_line(out, indent + TYPE_STEP);
                out.push_str(name);
                out.push_str(": ");
                write_type(out, &attribute.ty, indent + TYPE_STEP);
                out.push(',');
            }
            if object.iter().len() > 0 {
                new_line(out, indent);
            }
            out.push('}');
        }),
    }
}

/// Writes a collection on one line, unless its elements take several.
fn write_collection(out: &mut String, name: &str, element: &Type, indent: usize) {
    wrapped(out, name, |out| {
        if !has_parts(element) {
            return write_type(out, element, indent);
        }
        new_line(out, indent + TYPE_STEP);
        write_type(out, element, indent + TYPE_STEP);
        out.push(',');
        new_line(out, indent);
    });
}

fn has_parts(ty: &Type) -> bool {
    match ty {
        Type::Any | Type::Bool | Type::Number | Type::String => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => has_parts(element),
        Type::Tuple(elements) => !elements.is_empty(),
        Type::Object(object) => object.iter().len() > 0,
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.push_str(&" ".repeat(indent));
}
