//! Reading JSON, and writing it as an HCL expression of the same layout.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::parser::parse_expr;

use super::schema::{Schema, Shape};
use super::template;
use crate::codes::{DUPLICATE, SYNTAX};

/// How deep objects and arrays nest.
const MAX_DEPTH: usize = 60;

/// Returns the text of a JSON file as an HCL expression.
pub(super) fn native(file: &Arc<SourceFile>, schema: &'static Schema) -> Result<String, Diagnostics> {
    let mut reader = Reader {
        file,
        text: &file.text,
        at: 0,
        native: String::with_capacity(file.text.len() + 2),
        faults: Diagnostics::default(),
    };
    let result = reader.document(schema);
    if let Err(fault) = result {
        reader.faults.push(fault);
    }
    if reader.faults.is_empty() { Ok(reader.native) } else { Err(reader.faults) }
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    text: &'a str,
    at: usize,
    native: String,
    faults: Diagnostics,
}

/// A string of the JSON: where it stands, quotes included, and its characters with theirs places.
struct Text {
    range: Range<usize>,
    chars: Vec<(usize, char)>,
}

impl Text {
    fn decoded(&self) -> String {
        self.chars.iter().map(|(_, char)| char).collect()
    }
}

impl Reader<'_> {
    fn document(&mut self, schema: &'static Schema) -> Result<(), Diagnostic> {
        self.space();
        if self.peek() != Some(b'{') {
            return Err(self.fault(self.at, "a definition is a JSON object").hint("begin it with `{`"));
        }
        // An expression has no space before it, except in parentheses.
        let is_late = self.at > 0;
        if is_late {
            self.native.push('(');
        }
        self.value(Shape::Block(0, schema), 0)?;
        self.space();
        if self.at < self.text.len() {
            return Err(self
                .fault(self.at, "nothing can stand behind the end of the JSON")
                .hint("remove it"));
        }
        if is_late {
            self.native.push(')');
        }
        Ok(())
    }

    fn value(&mut self, shape: Shape, depth: usize) -> Result<(), Diagnostic> {
        self.space();
        if depth > MAX_DEPTH {
            let summary = format!("more than {MAX_DEPTH} levels of nesting");
            return Err(self.fault(self.at, &summary).hint("move inner parts into `locals`"));
        }
        match self.peek() {
            Some(b'{') => self.object(shape, depth),
            Some(b'[') => self.array(shape, depth),
            _ if matches!(shape, Shape::Block(..)) => {
                Err(self.fault(self.at, "a block is an object, or an array of objects").hint("write `{ … }`"))
            }
            Some(b'"') => {
                let text = self.string()?;
                match shape {
                    Shape::Code => self.code(&text),
                    _ => self.template(&text),
                }
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, shape: Shape, depth: usize) -> Result<(), Diagnostic> {
        self.mark("{");
        let mut keys: HashMap<String, Range<usize>> = HashMap::new();
        let mut comma = None;
        self.space();
        while self.peek() != Some(b'}') {
            if !keys.is_empty() {
                self.take(b',', "a comma is missing between two entries")?;
                comma = comma.or(Some(self.at - 1));
                self.space();
            }
            if self.peek() != Some(b'"') {
                let hint = "keys are text in double quotes; behind the last entry there is no comma";
                return Err(self.fault(self.at, "a key in double quotes must stand here").hint(hint));
            }
            let key = self.string()?;
            let name = key.decoded();
            let is_comment = matches!(shape, Shape::Block(0, _)) && name == "//";
            let before = self.native.len();
            if let Some(comma) = comma.filter(|_| before > 0 && !self.native.ends_with(['{', '('])) {
                self.push(comma, ",");
            }
            self.entry(&key, if is_comment { Shape::Value } else { shape }, depth)?;
            match is_comment {
                true => self.native.truncate(before),
                false => comma = None,
            }
            match keys.insert(name, key.range.clone()) {
                Some(first) if !is_comment => self.twice(&key, first),
                _ => {}
            }
            self.space();
        }
        self.mark("}");
        Ok(())
    }

    /// Reads and writes a key and its value.
    fn entry(&mut self, key: &Text, shape: Shape, depth: usize) -> Result<(), Diagnostic> {
        let name = key.decoded();
        let inner = match shape {
            Shape::Block(0, schema) => {
                self.name(key, &name)?;
                schema.shape(&name)
            }
            Shape::Block(labels, schema) => {
                self.template(key)?;
                Shape::Block(labels - 1, schema)
            }
            other => {
                self.template(key)?;
                other
            }
        };
        self.space();
        self.take(b':', "`:` is missing behind the key")?;
        self.push(self.at - 1, ":");
        self.value(inner, depth + 1)
    }

    fn twice(&mut self, key: &Text, first: Range<usize>) {
        let span = |range| SourceSpan::new(Arc::clone(self.file), range);
        let fault =
            Diagnostic::error(DUPLICATE, format!("key {:?} stands twice in one object", key.decoded()));
        self.faults.push(fault.at(span(key.range.clone())).label(span(first), "first here"));
    }

    fn array(&mut self, shape: Shape, depth: usize) -> Result<(), Diagnostic> {
        self.mark("[");
        self.space();
        let mut is_first = true;
        while self.peek() != Some(b']') {
            if !is_first {
                self.take(b',', "a comma is missing between two items")?;
                self.push(self.at - 1, ",");
                self.space();
                if self.peek() == Some(b']') {
                    let hint = "remove the comma before it";
                    return Err(self.fault(self.at, "an item must stand behind the comma").hint(hint));
                }
            }
            is_first = false;
            self.value(shape, depth + 1)?;
            self.space();
        }
        self.mark("]");
        Ok(())
    }

    /// Writes the name of a block or an argument, without its quotes.
    fn name(&mut self, key: &Text, name: &str) -> Result<(), Diagnostic> {
        if hcl_edit::Ident::try_new(name).is_err() {
            let summary = format!("{name:?} is no name of a block or an argument");
            let hint = "a name starts with a letter and has letters, digits, `_` and `-`";
            return Err(self.fault_at(key.range.clone(), &summary).hint(hint));
        }
        self.push(key.range.start + 1, name);
        Ok(())
    }

    /// Writes text that is code, without its quotes.
    fn code(&mut self, text: &Text) -> Result<(), Diagnostic> {
        let code = text.decoded();
        if let Err(error) = parse_expr(&code) {
            let summary = format!("{code:?} is no expression: {}", error.message());
            return Err(self.fault_at(text.range.clone(), &summary).hint("write a type or a reference"));
        }
        self.push(text.range.start + 1, &code);
        Ok(())
    }

    /// Writes a template as HCL writes it.
    fn template(&mut self, text: &Text) -> Result<(), Diagnostic> {
        self.align(text.range.start);
        let start = self.native.len();
        let has_code = template::write(&text.chars, &mut self.native);
        let written = &self.native[start..];
        if let Some(Err(error)) = has_code.then(|| parse_expr(written)) {
            let summary = format!("this template is not right: {}", error.message());
            let at = text.range.start + error.location().offset().min(text.range.len() - 1);
            return Err(self.fault(at, &summary).hint("a literal `${` is written `$${`"));
        }
        Ok(())
    }

    /// Reads a string.
    fn string(&mut self) -> Result<Text, Diagnostic> {
        let start = self.at;
        self.at += 1;
        let mut chars = Vec::new();
        loop {
            let at = self.at;
            let char = self.text[at..].chars().next();
            self.at += char.map_or(0, char::len_utf8);
            match char {
                Some('"') => return Ok(Text { range: start..self.at, chars }),
                Some('\\') => chars.push((at, self.escape()?)),
                Some(char) if char >= ' ' => chars.push((at, char)),
                _ => {
                    let end = self.text[start..].find('\n').map_or(self.text.len(), |len| start + len);
                    let fault = self.fault_at(start..end, "this text has no closing quote");
                    return Err(fault.hint("add the missing `\"`; a line break in text is written `\\n`"));
                }
            }
        }
    }

    /// Reads what stands behind a backslash.
    fn escape(&mut self) -> Result<char, Diagnostic> {
        let at = self.at - 1;
        let char = self.peek().map(char::from);
        self.at += 1;
        let found = match char {
            Some(char @ ('"' | '\\' | '/')) => Some(char),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode(),
            _ => None,
        };
        found.ok_or_else(|| {
            let end = self.text.ceil_char_boundary(self.at.min(self.text.len()));
            let fault = self.fault_at(at..end, "this is no escape sequence of JSON");
            fault.hint("there are \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\uNNNN")
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let low = self.hex().filter(|low| (0xdc00..0xe000).contains(low))?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        self.at += 4;
        u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    }

    fn number(&mut self) -> Result<(), Diagnostic> {
        let start = self.at;
        let rest = &self.text[start..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let number = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at += number.len();
        if serde_json::from_str::<&serde_json::value::RawValue>(number).is_err() {
            let summary = format!("{number} is no number of JSON");
            return Err(self.fault_at(start..self.at, &summary).hint("text stands in double quotes"));
        }
        self.push(start, number);
        Ok(())
    }

    fn word(&mut self) -> Result<(), Diagnostic> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        match &rest[..end] {
            word @ ("true" | "false" | "null") => {
                self.push(self.at, word);
                self.at += word.len();
                Ok(())
            }
            "" => Err(self.fault(self.at, "a value is missing").hint("add a value, or remove the entry")),
            word => {
                let summary = format!("{word} is no value of JSON");
                let fault = self.fault_at(self.at..self.at + end, &summary);
                Err(fault.hint("text stands in double quotes; a reference is \"${var.x}\""))
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8, missing: &str) -> Result<(), Diagnostic> {
        if self.peek() != Some(byte) {
            let hint = "this is the JSON form of HCL: look at the line before as well";
            return Err(self.fault(self.at, missing).hint(hint));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads and writes one character.
    fn mark(&mut self, mark: &str) {
        self.push(self.at, mark);
        self.at += mark.len();
    }

    /// Writes what stands at `at` in the JSON.
    fn push(&mut self, at: usize, text: &str) {
        self.align(at);
        self.native.push_str(text);
    }

    /// Adds space until what is written next stands where it stands in the JSON.
    fn align(&mut self, at: usize) {
        let missing = at.saturating_sub(self.native.len());
        self.native.extend(std::iter::repeat_n(' ', missing));
    }

    fn fault(&self, at: usize, summary: &str) -> Diagnostic {
        let end = self.text.ceil_char_boundary((at + 1).min(self.text.len()));
        self.fault_at(self.text.floor_char_boundary(at)..end, summary)
    }

    fn fault_at(&self, range: Range<usize>, summary: &str) -> Diagnostic {
        let span = SourceSpan::new(Arc::clone(self.file), range);
        Diagnostic::error(SYNTAX, format!("syntax error: {summary}")).at(span)
    }
}
