//! Functions that read and write other formats.

use std::io::{Read, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine_core::value::Value;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::yaml_text::yaml;
use super::{Call, FunctionError, Row, charset, plain};
use crate::expr_value::{ExprValue, Kind};

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("base64decode(text: string) -> string", "Returns the text that is encoded.",
        r#"base64decode("aGk=") == "hi""#, |call| utf8(unbase64(call)?)),
    plain("base64encode(text: string) -> string", "Returns the text in Base64.",
        r#"base64encode("hi") == "aGk=""#, |call| Ok(ExprValue::string(BASE64_STANDARD.encode(call.text(0)?.as_str())))),
    plain("base64gunzip(text: string) -> string", "Returns the text that is compressed with gzip and then encoded in Base64.",
        r#"base64gunzip(base64gzip("hi")) == "hi""#, gunzip),
    plain("base64gzip(text: string) -> string", "Returns the text compressed with gzip, in Base64.",
        r#"startswith(base64gzip("hi"), "H4sI")"#, gzip),
    plain("csvdecode(text: string) -> any",
        "Returns a list with an object of strings for each line behind the first, which names the columns.",
        r#"csvdecode("name,cpu\nweb,2\n") == tolist([{ name = "web", cpu = "2" }])"#, super::csv::decode),
    plain("jsondecode(text: string) -> any", "Returns the value that the JSON text holds.",
        r#"jsondecode("{\"a\": [1, true]}") == { a = [1, true] }"#, |call| {
            let value: Result<Value, _> = serde_json::from_str(call.text(0)?);
            let value = value.map_err(|error| FunctionError::argument(0, format!("invalid JSON: {error}")))?;
            Ok(value.into())
        }),
    plain("jsonencode(value: any|null) -> string", "Returns the value as JSON on one line, keys in order.",
        r#"jsonencode({ b = 1, a = ["x", null] }) == "{\"a\":[\"x\",null],\"b\":1}""#,
        |call| Ok(ExprValue::string(json(call.value(0)?)))),
    plain("textdecodebase64(text: string, encoding: string) -> string",
        "Returns the text that is encoded in this character encoding and then in Base64.",
        r#"textdecodebase64("SABpAA==", "UTF-16LE") == "Hi""#, |call| {
            let bytes = unbase64(call)?;
            let encoding = charset::find(call.text(1)?).ok_or_else(unknown_encoding)?;
            let text = encoding.decode(&bytes);
            let text = text.ok_or_else(|| FunctionError::argument(0, "what is encoded is no text in this encoding"))?;
            Ok(ExprValue::string(text))
        }),
    plain("textencodebase64(text: string, encoding: string) -> string",
        "Returns the text in this character encoding, in Base64: UTF-8, UTF-16LE, ISO-8859-1, windows-1252 and so on.",
        r#"textencodebase64("Hi", "UTF-16LE") == "SABpAA==""#, |call| {
            let encoding = charset::find(call.text(1)?).ok_or_else(unknown_encoding)?;
            let bytes = encoding.encode(call.text(0)?);
            let bytes = bytes.ok_or_else(|| FunctionError::argument(0, "the encoding lacks a character of the text"))?;
            Ok(ExprValue::string(BASE64_STANDARD.encode(bytes)))
        }),
    plain("urldecode(text: string) -> string", "Returns the text that is encoded for the query of a URL.",
        r#"urldecode("a+b%26c") == "a b&c""#, |call| {
            let bytes = url_decode(call.text(0)?);
            utf8(bytes.ok_or_else(|| FunctionError::argument(0, "two hexadecimal digits must follow each %"))?)
        }),
    plain("urlencode(text: string) -> string", "Returns the text for use in the query of a URL.",
        r#"urlencode("a b&c") == "a+b%26c""#, |call| Ok(ExprValue::string(url_encode(call.text(0)?)))),
    plain("yamldecode(text: string) -> any", "Returns the value that the YAML document holds.",
        r#"yamldecode("a: [1, yes]") == { a = [1, true] }"#, |call| {
            let value = read_yaml(call.text(0)?);
            let value = value.map_err(|error| FunctionError::argument(0, format!("invalid YAML: {error}")))?;
            Ok(value.into())
        }),
    plain("yamlencode(value: any|null) -> string", "Returns the value as a YAML document, keys in order and all text in quotes.",
        r#"yamlencode({ a = [1, "on"] }) == "\"a\":\n- 1\n- \"on\"\n""#, |call| Ok(ExprValue::string(yaml(call.value(0)?)))),
];

/// The most text that is taken out of a compressed one, in bytes.
const MAX_UNPACKED_BYTES: u64 = 16 << 20;

/// Returns the bytes of the first argument, which is Base64; line ends in it count for nothing.
fn unbase64(call: &Call<'_>) -> Result<Vec<u8>, FunctionError> {
    let text: String = call.text(0)?.chars().filter(|char| !matches!(char, '\r' | '\n')).collect();
    BASE64_STANDARD.decode(text).map_err(|_| FunctionError::argument(0, "the text is no Base64"))
}

fn utf8(bytes: Vec<u8>) -> Result<ExprValue, FunctionError> {
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| FunctionError::argument(0, "what is encoded is no text in UTF-8"))?;
    Ok(ExprValue::string(text))
}

fn unknown_encoding() -> FunctionError {
    FunctionError::argument(1, "there is no character encoding of this name")
}

fn gzip(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    // Without a name and a time in the header: the same text gives the same result.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let bytes = encoder.write_all(call.text(0)?.as_bytes()).and_then(|()| encoder.finish());
    let bytes = bytes.map_err(|error| FunctionError::failed(error.to_string()))?;
    Ok(ExprValue::string(BASE64_STANDARD.encode(bytes)))
}

fn gunzip(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let packed = unbase64(call)?;
    let mut bytes = Vec::new();
    let unpacked = GzDecoder::new(&packed[..]).take(MAX_UNPACKED_BYTES + 1).read_to_end(&mut bytes);
    unpacked.map_err(|_| FunctionError::argument(0, "what is encoded is not compressed with gzip"))?;
    if bytes.len() as u64 > MAX_UNPACKED_BYTES {
        return Err(FunctionError::argument(0, "the text is larger than 16 MiB"));
    }
    utf8(bytes)
}

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
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Reads one YAML document as the tools of Kubernetes do: YAML 1.1 booleans and octal numbers, merge keys;
/// duplicate keys are an error, and so are tags of a language or program, and a document that expands without bounds.
pub(crate) fn read_yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        reject_unsupported_tags: true,
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

fn url_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut half =
                    || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                half()? << 4 | half()?
            }
            byte => byte,
        });
    }
    Some(decoded)
}
