//! One call of a function, as its code sees it.

use engine_core::value::{Number, Text};

use super::{FunctionContext, FunctionError};
use crate::eval::Budget;
use crate::expr_value::{Entries, ExprValue, Items};
use crate::templates::Templates;

/// The arguments of one call, checked and converted, and what else the code may use.
pub(crate) struct Call<'a> {
    pub(super) arguments: Vec<ExprValue>,
    pub(super) context: &'a FunctionContext,
    /// The templates of the module; `None` inside a template, and where constants are needed.
    pub(super) templates: Option<&'a Templates>,
    pub(super) budget: &'a Budget,
}

impl Call<'_> {
    /// Returns an argument that may be left out.
    pub(super) fn get(&self, idx: usize) -> Option<&ExprValue> {
        self.arguments.get(idx)
    }

    /// Returns an argument.
    pub(super) fn value(&self, idx: usize) -> Result<&ExprValue, FunctionError> {
        self.get(idx).ok_or_else(|| FunctionError::argument(idx, "missing argument"))
    }

    /// Returns the text of an argument declared `string`.
    pub(super) fn text(&self, idx: usize) -> Result<&Text, FunctionError> {
        self.value(idx)?.as_text().ok_or_else(|| FunctionError::argument(idx, "a string is required"))
    }

    /// Returns an argument declared `number`.
    pub(super) fn number(&self, idx: usize) -> Result<&Number, FunctionError> {
        self.value(idx)?.as_number().ok_or_else(|| FunctionError::argument(idx, "a number is required"))
    }

    /// Returns an argument declared `number` that must be whole.
    pub(super) fn int(&self, idx: usize) -> Result<i64, FunctionError> {
        self.number(idx)?.as_i64().ok_or_else(|| FunctionError::argument(idx, "a whole number is required"))
    }

    /// Returns an argument declared `number` that counts something.
    pub(super) fn count(&self, idx: usize) -> Result<usize, FunctionError> {
        usize::try_from(self.int(idx)?)
            .map_err(|_| FunctionError::argument(idx, "the number must not be negative"))
    }

    /// Returns the items of an argument that must be a list, tuple or set.
    pub(super) fn items(&self, idx: usize) -> Result<&Items, FunctionError> {
        self.value(idx)?
            .as_items()
            .ok_or_else(|| FunctionError::argument(idx, "a list, a set or a tuple is required"))
    }

    /// Returns the entries of an argument that must be a map or object.
    pub(super) fn entries(&self, idx: usize) -> Result<&Entries, FunctionError> {
        self.value(idx)?
            .as_entries()
            .ok_or_else(|| FunctionError::argument(idx, "a map or an object is required"))
    }

    /// Returns the texts of an argument declared as a collection of strings; null items are left out.
    pub(super) fn texts(&self, idx: usize) -> Result<Vec<&Text>, FunctionError> {
        Ok(self.items(idx)?.iter().filter_map(ExprValue::as_text).collect())
    }

    /// Tells whether an argument carries the sensitive mark itself.
    pub(super) fn any_sensitive(&self) -> bool {
        self.arguments.iter().any(ExprValue::is_sensitive)
    }

    /// Tells whether an argument is itself known after apply.
    pub(super) fn any_unknown(&self) -> bool {
        self.arguments.iter().any(ExprValue::is_unknown)
    }
}
