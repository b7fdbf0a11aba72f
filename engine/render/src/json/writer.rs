//! JSON that is safe to print on a terminal.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::escape::is_hidden;

/// Returns `value` as one line of JSON in which every hidden character is written as `\u…`: the same data, but
/// harmless when it lands on a terminal.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Visible);
    // Our own types have text keys only and a vector takes every byte, so neither step can fail.
    value.serialize(&mut serializer).expect("plain data always serialises");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| is_hidden(*char)) {
            CompactFormatter.write_string_fragment(writer, &rest[..at])?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + char.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}
