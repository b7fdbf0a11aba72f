//! Literals: numbers, tuples and objects.

use std::ops::Range;

use engine_core::value::{Number, Text};
use hcl_edit::expr::{Array, Expression, Object, ObjectKey};
use hcl_edit::{Formatted, Span};

use super::codes::{DUPLICATE_KEY, NUMBER_RANGE, OBJECT_KEY};
use super::{Evaluator, Outcome, given, range_of};
use crate::convert::convert;
use crate::expr_value::ExprValue;
use crate::types::Type;

impl Evaluator<'_> {
    /// Reads a number from its text: the parser's own value has lost digits.
    pub(super) fn number_literal(
        &self,
        number: &Formatted<hcl_edit::Number>,
        range: &Range<usize>,
    ) -> Outcome {
        let written = match number.as_repr() {
            Some(text) => text.split_whitespace().collect::<String>(),
            None => number.value().to_string(),
        };
        written
            .parse::<Number>()
            .map(ExprValue::number)
            .map_err(|_| self.fault(NUMBER_RANGE, range, "number out of range").into())
    }

    pub(super) fn array(&self, array: &Array) -> Outcome {
        let items: Vec<_> = array.iter().map(|item| self.value(item)).collect::<Outcome<_>>()?;
        Ok(ExprValue::tuple(items))
    }

    pub(super) fn object(&self, object: &Object, range: &Range<usize>) -> Outcome {
        let mut entries: Vec<(Text, ExprValue)> = Vec::with_capacity(object.len());
        let mut sensitive = false;
        let mut ephemeral = false;
        let mut unknown = false;
        for (key, value) in object {
            let key_range = key.span().unwrap_or_else(|| range.clone());
            let name = self.object_key(key, &key_range)?;
            let value = self.value(value.expr())?;
            sensitive |= name.is_sensitive();
            ephemeral |= name.is_ephemeral();
            match name.as_text() {
                Some(name) => entries.push((name.clone(), value)),
                None => unknown = true,
            }
        }
        if unknown {
            let ephemeral = ephemeral || entries.iter().any(|(_, value)| value.contains_ephemeral());
            return Ok(ExprValue::unknown(Type::Any)
                .with_sensitivity_of(sensitive)
                .with_ephemerality_of(ephemeral));
        }
        let count = entries.len();
        let value = ExprValue::object(entries.iter().cloned());
        if value.as_entries().is_some_and(|unique| unique.len() < count) {
            return Err(self.duplicate_key(entries, sensitive, range));
        }
        Ok(value.with_sensitivity_of(sensitive).with_ephemerality_of(ephemeral))
    }

    /// Evaluates a key. An unquoted name stands for itself; a reference must be in parentheses.
    fn object_key(&self, key: &ObjectKey, range: &Range<usize>) -> Outcome {
        let expression = match key {
            ObjectKey::Ident(name) => return Ok(ExprValue::string(name.as_str())),
            ObjectKey::Expression(expression) => expression,
        };
        match expression {
            Expression::Null(_) => Ok(ExprValue::string("null")),
            Expression::Bool(bool) => Ok(ExprValue::string(bool.value().to_string())),
            Expression::Traversal(_) => Err(self
                .fault(OBJECT_KEY, range, "ambiguous key of an object")
                .hint("write the reference in parentheses, or the name in quotes")
                .into()),
            expression => {
                let value = self.value(expression)?;
                self.key(&value, &range_of(expression))
            }
        }
    }

    /// Converts a value to the key of an object: text, or known after apply.
    pub(super) fn key(&self, value: &ExprValue, range: &Range<usize>) -> Outcome {
        if value.is_null() {
            return Err(self.fault(OBJECT_KEY, range, "invalid key of an object: it is null").into());
        }
        convert(value, &Type::String).map_err(|error| {
            self.fault(OBJECT_KEY, range, format!("invalid key of an object: {error}"))
                .detail(given(value))
                .into()
        })
    }

    fn duplicate_key(
        &self,
        mut entries: Vec<(Text, ExprValue)>,
        sensitive: bool,
        range: &Range<usize>,
    ) -> engine_core::diagnostic::Diagnostics {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let twice = entries.windows(2).find(|pair| pair[0].0 == pair[1].0);
        let summary = match twice {
            Some(pair) if !sensitive => format!("key {:?} twice in one object", pair[0].0),
            _ => "a key twice in one object".to_owned(),
        };
        self.fault(DUPLICATE_KEY, range, summary).into()
    }
}
