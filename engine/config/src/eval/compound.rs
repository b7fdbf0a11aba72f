//! Literals: numbers, tuples and objects.

use std::ops::Range;

use engine_core::value::{Number, Text};
use hcl_edit::expr::{Array, Expression, Object, ObjectKey};
use hcl_edit::{Formatted, Span};

use super::codes::{NUMBER_RANGE, OBJECT_KEY};
use super::references::is_reference;
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

    /// Evaluates an object. Of equal keys the last one counts, as in Terraform.
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
        let value = if unknown {
            ephemeral |= entries.iter().any(|(_, value)| value.contains_ephemeral());
            ExprValue::unknown(Type::Any)
        } else {
            ExprValue::object(entries)
        };
        // Itself it is sensitive for its keys only.
        let value = value.with_sensitivity_of(sensitive).with_secret_keys_of(sensitive);
        Ok(value.with_ephemerality_of(ephemeral))
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
            Expression::Traversal(traversal) if is_reference(traversal) => Err(self
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
}
