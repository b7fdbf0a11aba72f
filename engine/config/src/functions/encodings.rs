//! Functions that read and write other formats.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine_core::value::Value;
use sha2::{Digest, Sha256};

use super::{FunctionError, Row, plain};
use crate::expr_value::{ExprValue, Kind};

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("base64decode(text: string) -> string", "Returns the text that is encoded.",
        r#"base64decode("aGk=") == "hi""#, |call| {
            let bytes = BASE64_STANDARD.decode(call.text(0)?.as_str());
            let bytes = bytes.map_err(|_| FunctionError::argument(0, "the text is no Base64"))?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| FunctionError::argument(0, "what is encoded is no text in UTF-8"))?;
            Ok(ExprValue::text(text.into()))
        }),
    plain("base64encode(text: string) -> string", "Returns the text in Base64.",
        r#"base64encode("hi") == "aGk=""#, |call| Ok(ExprValue::string(BASE64_STANDARD.encode(call.text(0)?.as_str())))),
    plain("base64sha256(text: string) -> string", "Returns the SHA-256 digest of the text in Base64.",
        r#"length(base64sha256("hi")) == 44"#,
        |call| Ok(ExprValue::string(BASE64_STANDARD.encode(Sha256::digest(call.text(0)?.as_bytes()))))),
    plain("jsondecode(text: string) -> any", "Returns the value that the JSON text holds.",
        r#"jsondecode("{\"a\": [1, true]}") == { a = [1, true] }"#, |call| {
            let value: Result<Value, _> = serde_json::from_str(call.text(0)?);
            let value = value.map_err(|error| FunctionError::argument(0, format!("invalid JSON: {error}")))?;
            Ok(value.into())
        }),
    plain("jsonencode(value: any|null) -> string", "Returns the value as JSON on one line, keys in order.",
        r#"jsonencode({ b = 1, a = ["x", null] }) == "{\"a\":[\"x\",null],\"b\":1}""#,
        |call| Ok(ExprValue::string(json(call.value(0)?)))),
    plain("sha256(text: string) -> string", "Returns the SHA-256 digest of the text in hexadecimal.",
        r#"substr(sha256("hi"), 0, 8) == "8f434346""#,
        |call| Ok(ExprValue::string(hex::encode(Sha256::digest(call.text(0)?.as_bytes()))))),
    plain("urlencode(text: string) -> string", "Returns the text for use in the query of a URL.",
        r#"urlencode("a b&c") == "a+b%26c""#, |call| Ok(ExprValue::string(url_encode(call.text(0)?)))),
    plain("yamldecode(text: string) -> any", "Returns the value that the YAML document holds.",
        r#"yamldecode("a: [1, yes]") == { a = [1, true] }"#, |call| {
            let value = read_yaml(call.text(0)?);
            let value = value.map_err(|error| FunctionError::argument(0, format!("invalid YAML: {error}")))?;
            Ok(value.into())
        }),
    plain("yamlencode(value: any|null) -> string", "Returns the value as a YAML document, keys in order.",
        r#"yamlencode({ a = [1, "on"] }) == "a:\n- 1\n- \"on\"\n""#, |call| {
            let value = call.value(0)?.to_value().map_err(|error| FunctionError::failed(error.to_string()))?;
            Ok(ExprValue::string(write_yaml(&value)?))
        }),
];

/// Returns a value as JSON on one line. Numbers keep all their digits.
///
/// `<`, `>`, `&`, U+2028 and U+2029 are escaped, so that the text can be embedded anywhere.
///
/// # Source
/// Documentation of `OpenTofu`, "jsonencode Function".
pub(super) fn json(value: &ExprValue) -> String {
    let mut text = String::new();
    write_json(&mut text, value);
    text
}

fn write_json(out: &mut String, value: &ExprValue) {
    match value.kind() {
        Kind::Null | Kind::Unknown(_) => out.push_str("null"),
        Kind::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number.to_string()),
        Kind::String(text) => write_json_text(out, text),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            out.push('[');
            for (idx, item) in items.iter().enumerate() {
                out.push_str(if idx > 0 { "," } else { "" });
                write_json(out, item);
            }
            out.push(']');
        }
        Kind::Map(entries) | Kind::Object(entries) => {
            out.push('{');
            for (idx, (key, value)) in entries.iter().enumerate() {
                out.push_str(if idx > 0 { "," } else { "" });
                write_json_text(out, key);
                out.push(':');
                write_json(out, value);
            }
            out.push('}');
        }
    }
}

fn write_json_text(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' | '\u{7f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Reads one YAML document as the tools of Kubernetes do: YAML 1.1 booleans and octal numbers, merge keys;
/// duplicate keys are an error, and so is a document that expands without bounds.
pub(crate) fn read_yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// Writes a YAML document that the tools of Kubernetes read back as the same value.
pub(crate) fn write_yaml(value: &Value) -> Result<String, FunctionError> {
    /// Wider than any line: text is never folded.
    const WIDE: usize = usize::MAX >> 1;
    let options = serde_saphyr::ser_options! {
        // A block scalar whose first line starts with a tab is read by no one else.
        prefer_block_scalars: !holds_tab(value),
        folded_wrap_chars: WIDE,
        min_fold_chars: WIDE,
    };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| FunctionError::failed(format!("the value cannot be written as YAML: {error}")))
}

fn holds_tab(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\t'),
        Value::List(items) => items.iter().any(holds_tab),
        Value::Map(map) => map.iter().any(|(_, value)| holds_tab(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Encodes everything but letters, digits and `-_.~`; a space becomes `+`.
fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            b' ' => encoded.push('+'),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
