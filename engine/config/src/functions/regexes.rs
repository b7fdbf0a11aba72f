//! Functions on regular expressions.
//!
//! Patterns are written as RE2 has them. What the engine here reads otherwise is rewritten first: in RE2 the classes
//! `\d`, `\s`, `\w` and the boundary `\b` are those of ASCII, a brace that repeats nothing stands for itself, and
//! so does a bracket in a class.
//!
//! # Source
//! RE2, "Syntax".

use regex::{Captures, Match, Regex, RegexBuilder};

use super::{Call, FunctionError, Row, plain};
use crate::expr_value::ExprValue;
use crate::types::Type;

/// How large a compiled regular expression may be, in bytes.
const REGEX_BYTES: usize = 1 << 20;

/// About what an item of a result takes beside its text, paid for before it is made.
const ITEM_BYTES: u64 = 64;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("regex(pattern: string, text: string) -> any",
        "Returns the first match of a regular expression: its text, or its groups by position or by name.",
        r#"regex("^v(\\d+)\\.(\\d+)", "v1.36") == ["1", "36"]"#, |call| {
            let pattern = compile(call.text(0)?, 0)?;
            let found = pattern.captures(call.text(1)?);
            let found = found.ok_or_else(|| FunctionError::failed("the pattern does not match the text"))?;
            Ok(captured(&groups(&pattern)?, &found))
        }),
    plain("regexall(pattern: string, text: string) -> any", "Returns a list of all matches of a regular expression.",
        r#"length(regexall("a", "banana")) == 3"#, |call| {
            let pattern = compile(call.text(0)?, 0)?;
            let groups = groups(&pattern)?;
            let found = pattern.captures_iter(call.text(1)?).map(|found| {
                call.budget.bytes(ITEM_BYTES)?;
                Ok(captured(&groups, &found))
            });
            Ok(ExprValue::list(groups.ty(), found.collect::<Result<Vec<_>, FunctionError>>()?))
        }),
    plain("replace(text: string, search: string, with: string) -> string",
        "Returns the text with each occurrence replaced. Between slashes, search is a regular expression, and $1 stands for its first group.",
        r#"replace("a.b.c", ".", "-") == "a-b-c" && replace("v1.2", "/v(\\d)/", "r$1") == "r1.2""#, replace),
];

/// What a match gives.
enum Groups {
    /// Its text.
    None,
    /// A tuple of so many groups.
    Counted(usize),
    /// An object.
    Named(Vec<String>),
}

impl Groups {
    fn ty(&self) -> Type {
        match self {
            Self::None => Type::String,
            Self::Counted(count) => Type::Tuple(vec![Type::String; *count].into()),
            Self::Named(names) => Type::object(names.iter().map(|name| (name.as_str().into(), Type::String))),
        }
    }
}

fn groups(pattern: &Regex) -> Result<Groups, FunctionError> {
    let names: Vec<_> = pattern.capture_names().skip(1).collect();
    match (names.len(), names.iter().flatten().count()) {
        (0, _) => Ok(Groups::None),
        (count, 0) => Ok(Groups::Counted(count)),
        (count, named) if count == named => {
            Ok(Groups::Named(names.into_iter().flatten().map(str::to_owned).collect()))
        }
        _ => Err(FunctionError::argument(0, "the groups must all be named, or none of them")),
    }
}

fn captured(groups: &Groups, found: &Captures<'_>) -> ExprValue {
    let value =
        |found: Option<Match<'_>>| found.map_or(ExprValue::NULL, |found| ExprValue::string(found.as_str()));
    match groups {
        Groups::None => value(found.get(0)),
        Groups::Counted(count) => ExprValue::tuple((1..=*count).map(|idx| value(found.get(idx)))),
        Groups::Named(names) => {
            ExprValue::object(names.iter().map(|name| (name.as_str().into(), value(found.name(name)))))
        }
    }
}

fn compile(pattern: &str, idx: usize) -> Result<Regex, FunctionError> {
    RegexBuilder::new(&rewritten(pattern))
        .size_limit(REGEX_BYTES)
        .build()
        .map_err(|error| FunctionError::argument(idx, format!("invalid regular expression: {error}")))
}

fn replace(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let (whole, search, with) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let pattern = search.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else {
        let found = whole.matches(search.as_str()).count() as u64;
        call.budget.bytes(found.saturating_mul(with.len() as u64))?;
        return Ok(ExprValue::string(whole.replace(search.as_str(), with)));
    };
    let pattern = compile(pattern, 1)?;
    let mut replaced = String::new();
    let mut end = 0;
    for found in pattern.captures_iter(whole) {
        let Some(all) = found.get(0) else { continue };
        replaced.push_str(&whole[end..all.start()]);
        let before = replaced.len();
        found.expand(with, &mut replaced);
        call.budget.bytes(replaced.len().saturating_sub(before) as u64)?;
        end = all.end();
    }
    replaced.push_str(&whole[end..]);
    Ok(ExprValue::string(replaced))
}

/// Returns the pattern as the engine must be given it to read it as RE2 does.
fn rewritten(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        match (first, in_class) {
            ('\\', _) => {
                let escaped = rest[1..].chars().next();
                taken += escaped.map_or(0, char::len_utf8);
                push_escape(&mut out, escaped, in_class);
            }
            ('[', false) => {
                in_class = true;
                // A bracket right behind the start stands for itself.
                let head = ["[^]", "[]", "[^", "["].into_iter().find(|head| rest.starts_with(head));
                let head = head.unwrap_or("[");
                taken = head.len();
                out.push_str(&head.replace(']', "\\]"));
            }
            ('[', true) => match rest.starts_with("[:").then(|| rest.find(":]")).flatten() {
                Some(end) => {
                    taken = end + 2;
                    out.push_str(&rest[..taken]);
                }
                None => out.push_str("\\["),
            },
            (']', true) => {
                in_class = false;
                out.push(']');
            }
            ('&' | '~', true) => out.extend(['\\', first]),
            ('{', false) if !repeats(rest) => out.push_str("\\{"),
            _ => out.push(first),
        }
        rest = &rest[taken..];
    }
    out
}

fn push_escape(out: &mut String, escaped: Option<char>, in_class: bool) {
    match (escaped, in_class) {
        (Some(class @ ('d' | 's' | 'w')), true) => out.push_str(ascii_class(class)),
        (Some(class @ ('d' | 's' | 'w')), false) => {
            out.push('[');
            out.push_str(ascii_class(class));
            out.push(']');
        }
        (Some(class @ ('D' | 'S' | 'W')), _) => {
            out.push_str("[^");
            out.push_str(ascii_class(class.to_ascii_lowercase()));
            out.push(']');
        }
        (Some('b'), false) => out.push_str("(?-u:\\b)"),
        // Not `(?-u:\B)`, which could match within a character.
        (Some(plain @ ('<' | '>')), _) => out.push(plain),
        (escaped, _) => {
            out.push('\\');
            out.extend(escaped);
        }
    }
}

fn ascii_class(class: char) -> &'static str {
    match class {
        'd' => "0-9",
        's' => r"\t\n\f\r ",
        _ => "0-9A-Za-z_",
    }
}

/// Tells whether text that starts with a brace is a repetition: `{2}`, `{2,}` or `{2,3}`.
fn repeats(text: &str) -> bool {
    let inner = text[1..].split_once('}').map_or("", |(inner, _)| inner);
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    !least.is_empty() && least.bytes().chain(most.bytes()).all(|byte| byte.is_ascii_digit())
}
