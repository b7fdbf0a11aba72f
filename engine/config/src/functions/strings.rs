//! Functions on text.

use engine_core::value::Text;
use unicode_segmentation::UnicodeSegmentation;

use super::format::format;
use super::{Call, FunctionError, Row, plain};
use crate::expr_value::{ExprValue, Items};
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("chomp(text: string) -> string", "Returns the text without the line ends at its end.",
        r#"chomp("a\n\r\n") == "a""#, |call| Ok(text(call.text(0)?.trim_end_matches(['\n', '\r'])))),
    plain("endswith(text: string, suffix: string) -> bool", "Tells whether the text ends with the suffix.",
        r#"endswith("prod-eu", "-eu")"#, |call| Ok(call.text(0)?.ends_with(call.text(1)?.as_str()).into())),
    plain("format(format: string, values...: any|null) -> string",
        "Returns the format with %s, %d, %q, %v and so on replaced by the values.",
        r#"format("%s-%03d", "web", 7) == "web-007""#, |call| {
            let values: Vec<_> = call.arguments.iter().skip(1).collect();
            Ok(text(format(call.text(0)?, &values)?))
        }),
    plain("formatlist(format: string, values...: any|null) -> list(string)",
        "Returns one formatted text for each item of the lists among the values.",
        r#"formatlist("%s.%s", ["a", "b"], "svc") == tolist(["a.svc", "b.svc"])"#, format_list),
    plain("indent(spaces: number, text: string) -> string",
        "Returns the text with all lines but the first indented.",
        r#"indent(2, "a\nb") == "a\n  b""#, indent),
    plain("join(separator: string, list: list(string), lists...: list(string)) -> string",
        "Returns the texts of the lists with the separator between them.",
        r#"join("-", ["a", "b"], ["c"]) == "a-b-c""#, join),
    plain("lower(text: string) -> string", "Returns the text in lower case.",
        r#"lower("Prod") == "prod""#, |call| Ok(text(each_letter(call.text(0)?, char::to_lowercase)))),
    plain("split(separator: string, text: string) -> list(string)", "Returns the parts of the text between separators.",
        r#"split(",", "a,b") == tolist(["a", "b"])"#, split),
    plain("startswith(text: string, prefix: string) -> bool", "Tells whether the text starts with the prefix.",
        r#"startswith("prod-eu", "prod")"#, |call| Ok(call.text(0)?.starts_with(call.text(1)?.as_str()).into())),
    plain("strcontains(text: string, part: string) -> bool", "Tells whether the part occurs in the text.",
        r#"strcontains("production", "duct")"#, |call| Ok(call.text(0)?.contains(call.text(1)?.as_str()).into())),
    plain("strrev(text: string) -> string", "Returns the characters in reverse order.",
        r#"strrev("abc") == "cba""#, |call| Ok(text(characters(call.text(0)?).rev().collect::<String>()))),
    plain("substr(text: string, offset: number, length: number) -> string",
        "Returns a part of the text, counted in characters. A negative offset counts from the end; a negative length means the rest.",
        r#"substr("namespace", 4, -1) == "space" && substr("namespace", -5, 3) == "spa""#, substr),
    plain("title(text: string) -> string", "Returns the text with the first letter of each word in upper case.",
        r#"title("hello world") == "Hello World""#, |call| Ok(text(title(call.text(0)?)))),
    plain("trim(text: string, characters: string) -> string", "Returns the text without these characters at both ends.",
        r#"trim("?!a?", "!?") == "a""#, |call| {
            let characters = call.text(1)?;
            Ok(text(call.text(0)?.trim_matches(|c| characters.contains(c))))
        }),
    plain("trimprefix(text: string, prefix: string) -> string", "Returns the text without the prefix.",
        r#"trimprefix("v1.2", "v") == "1.2""#, |call| {
            let whole = call.text(0)?;
            Ok(text(whole.strip_prefix(call.text(1)?.as_str()).unwrap_or(whole)))
        }),
    plain("trimspace(text: string) -> string", "Returns the text without white space at both ends.",
        r#"trimspace(" a\n") == "a""#, |call| Ok(text(call.text(0)?.trim()))),
    plain("trimsuffix(text: string, suffix: string) -> string", "Returns the text without the suffix.",
        r#"trimsuffix("app.yaml", ".yaml") == "app""#, |call| {
            let whole = call.text(0)?;
            Ok(text(whole.strip_suffix(call.text(1)?.as_str()).unwrap_or(whole)))
        }),
    plain("upper(text: string) -> string", "Returns the text in upper case.",
        r#"upper("prod") == "PROD""#, |call| Ok(text(each_letter(call.text(0)?, char::to_uppercase)))),
];

fn text(text: impl AsRef<str>) -> ExprValue {
    ExprValue::string(text)
}

fn indent(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let (spaces, whole) = (call.count(0)?, call.text(1)?);
    let lines = whole.matches('\n').count() as u64;
    if lines == 0 {
        return Ok(text(whole));
    }
    call.budget.bytes(lines.saturating_mul(spaces as u64))?;
    Ok(text(whole.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

fn join(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let mut parts: Vec<&Text> = Vec::new();
    for idx in 1..call.arguments.len() {
        let items = call.items(idx)?;
        if items.iter().any(ExprValue::is_null) {
            return Err(FunctionError::argument(idx, "an item of the list is null"));
        }
        parts.extend(call.texts(idx)?);
    }
    let separator = call.text(0)?;
    let separators = (separator.len() as u64).saturating_mul(parts.len() as u64);
    call.budget.bytes(separators)?;
    let parts: Vec<_> = parts.into_iter().map(Text::as_str).collect();
    Ok(text(parts.join(separator)))
}

fn split(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let (separator, whole) = (call.text(0)?, call.text(1)?);
    // Paid for before they are made: of one letter each, the parts take many times the text.
    call.budget.bytes((whole.matches(separator.as_str()).count() as u64).saturating_mul(64))?;
    Ok(if separator.is_empty() {
        ExprValue::strings(whole.chars().map(String::from))
    } else {
        ExprValue::strings(whole.split(separator.as_str()))
    })
}

fn substr(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let (whole, offset, length) = (call.text(0)?, call.int(1)?, call.int(2)?);
    let from_end = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let start = if offset < 0 { characters(whole).count().saturating_sub(from_end) } else { from_end };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(text(characters(whole).skip(start).take(length).collect::<String>()))
}

/// Returns what a reader sees as single characters: letters with all their accents, emoji with all their parts.
pub(super) fn characters(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.graphemes(true)
}

/// Changes the case letter by letter. A letter whose other case is several letters stays as it is.
fn each_letter<C: Iterator<Item = char>>(text: &str, other_case: impl Fn(char) -> C) -> String {
    text.chars().map(|letter| single(letter, other_case(letter))).collect()
}

fn single(letter: char, mut other_case: impl Iterator<Item = char>) -> char {
    match (other_case.next(), other_case.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

fn title(text: &str) -> String {
    let mut in_word = false;
    let mut titled = String::with_capacity(text.len());
    for char in text.chars() {
        titled.push(if in_word { char } else { single(char, char.to_uppercase()) });
        // Beyond ASCII only spaces end a word.
        in_word = match char {
            '_' => true,
            char if char.is_ascii() => char.is_ascii_alphanumeric(),
            char => !char.is_whitespace(),
        };
    }
    titled
}

/// Formats once for each item: lists give their items in turn, other values stand for every turn.
fn format_list(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let values = call.arguments.get(1..).unwrap_or_default();
    let lists: Vec<Option<&Items>> = values.iter().map(ExprValue::as_items).collect();
    let mut lengths = lists.iter().flatten().map(|items| items.len());
    let length = lengths.next().unwrap_or(1);
    if lengths.any(|other| other != length) {
        return Err(FunctionError::failed("the lists have different lengths"));
    }
    let formatted: Vec<_> = (0..length)
        .map(|idx| {
            let row: Vec<_> = values
                .iter()
                .zip(&lists)
                .filter_map(|(value, items)| items.map_or(Some(value), |items| items.get(idx)))
                .collect();
            let line = format(call.text(0)?, &row)?;
            call.budget.bytes(line.len() as u64)?;
            Ok(text(line))
        })
        .collect::<Result<_, FunctionError>>()?;
    Ok(ExprValue::list(Type::String, formatted))
}
