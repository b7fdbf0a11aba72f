//! Reading CSV.

use std::collections::BTreeSet;

use engine_core::value::Text;

use super::{Call, FunctionError};
use crate::expr_value::ExprValue;
use crate::types::Type;

/// Reads lines of fields; the first line names the columns.
///
/// # Source
/// RFC 4180. Empty lines are left out.
pub(super) fn decode(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let invalid = |(line, why): (usize, &str)| FunctionError::argument(0, format!("line {line}: {why}"));
    let mut reader = Reader { rest: call.text(0)?, line: 1 };
    let names = reader.record().map_err(invalid)?;
    let names = names
        .ok_or_else(|| FunctionError::argument(0, "the line with the names of the columns is missing"))?;
    let names: Vec<Text> = names.iter().map(|name| Text::from(name.as_str())).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(FunctionError::argument(0, format!("two columns are named {:?}", twice.as_str())));
    }
    let element = Type::object(names.iter().map(|name| (name.clone(), Type::String)));
    let mut rows = Vec::new();
    loop {
        let line = reader.line;
        let Some(fields) = reader.record().map_err(invalid)? else { break };
        if fields.len() != names.len() {
            return Err(invalid((line, "there are not as many fields as columns")));
        }
        call.budget.steps(fields.len() as u64)?;
        let fields = fields.iter().map(ExprValue::string);
        rows.push(ExprValue::object(names.iter().cloned().zip(fields)));
    }
    Ok(ExprValue::list(element, rows))
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

type Fault = (usize, &'static str);

impl<'a> Reader<'a> {
    /// Returns the fields of the next line that is not empty, `None` at the end.
    fn record(&mut self) -> Result<Option<Vec<String>>, Fault> {
        while let Some(rest) = self.rest.strip_prefix("\r\n").or(self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        if let Some(rest) = self.rest.strip_prefix("\r\n").or(self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        Ok(Some(fields))
    }

    fn field(&mut self) -> Result<String, Fault> {
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return self.quoted(quoted);
        }
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        let field = if rest.starts_with(',') { field } else { field.strip_suffix('\r').unwrap_or(field) };
        if field.contains('"') {
            return Err((self.line, "a field that holds a quote must be quoted as a whole"));
        }
        self.rest = rest;
        Ok(field.to_owned())
    }

    /// Reads up to the closing quote; two quotes in a row stand for one.
    fn quoted(&mut self, mut rest: &'a str) -> Result<String, Fault> {
        let start = self.line;
        let mut field = String::new();
        loop {
            let (part, tail) = rest.split_once('"').ok_or((start, "a quote is not closed"))?;
            self.line += part.matches('\n').count();
            field.push_str(&part.replace("\r\n", "\n"));
            match tail.strip_prefix('"') {
                Some(tail) => {
                    field.push('"');
                    rest = tail;
                }
                None => {
                    self.rest = if tail == "\r" { "" } else { tail };
                    break;
                }
            }
        }
        let ends =
            self.rest.is_empty() || self.rest.starts_with([',', '\n']) || self.rest.starts_with("\r\n");
        if ends { Ok(field) } else { Err((self.line, "text follows the closing quote of a field")) }
    }
}
