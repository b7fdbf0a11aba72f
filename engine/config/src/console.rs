//! Evaluation of one expression on its own: what a console does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::parser::parse_expr;

use crate::codes::{SYNTAX, UNKNOWN_REFERENCE};
use crate::eval::{self, Scope, Step, did_you_mean};
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;

/// The names that a lone expression may refer to, and what its functions work with.
#[derive(Debug, Default)]
pub struct Names {
    values: BTreeMap<Text, ExprValue>,
    functions: FunctionContext,
}

impl Names {
    /// Builds names for expressions whose functions read files below `repository`. None is defined yet.
    pub fn new(repository: &Path) -> Self {
        Self { values: BTreeMap::new(), functions: FunctionContext::new(repository) }
    }

    /// Sets the fixed clock of the run; without one the time is known only after apply.
    #[must_use]
    pub fn with_clock(mut self, clock: jiff::Timestamp) -> Self {
        self.functions = self.functions.with_clock(clock);
        self
    }

    /// Defines what a name stands for: `var` is an object of all variables, say.
    pub fn define(&mut self, name: &str, value: ExprValue) {
        self.values.insert(name.into(), value);
    }
}

/// Evaluates the text of one expression.
///
/// Sensitive values keep their mark, and so does what is known only after apply: whoever shows the result asks
/// [`ExprValue::is_sensitive`] and [`ExprValue::is_unknown`] of each part.
///
/// # Errors
/// [`Diagnostics`] when the text is no expression, or the first fault of its evaluation. Their spans are those of
/// the text.
pub fn evaluate_expression(text: &str, names: &Names) -> Result<ExprValue, Diagnostics> {
    let file = Arc::new(SourceFile { path: "<expression>".to_owned(), text: text.to_owned() });
    let expression = parse_expr(text).map_err(|error| {
        let start = text.floor_char_boundary(error.location().offset());
        let end = text.ceil_char_boundary(start + 1);
        Diagnostic::error(SYNTAX, format!("syntax error: {}", error.message()))
            .at(SourceSpan::new(Arc::clone(&file), start..end))
    })?;
    eval::evaluate(&expression, &Lone { names, file: &file })
}

/// The scope of a lone expression.
struct Lone<'a> {
    names: &'a Names,
    file: &'a Arc<SourceFile>,
}

impl Scope for Lone<'_> {
    fn resolve(&self, root: &str, _: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        if let Some(value) = self.names.values.get(root) {
            return Ok((value.clone(), 0));
        }
        let mut fault = Diagnostic::error(UNKNOWN_REFERENCE, format!("nothing is called {root:?}")).at(span);
        fault.hint = did_you_mean(root, self.names.values.keys().map(Text::as_str));
        Err(fault.into())
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }

    fn functions(&self) -> &FunctionContext {
        &self.names.functions
    }
}
