//! Arguments that are needed before anything is evaluated: literals and calls of functions on literals.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;

use super::fields::Fields;
use super::fields::Name;
use super::{Argument, Expr};
use crate::codes::{INVALID_ARGUMENT, MISPLACED_REFERENCE};
use crate::convert::convert;
use crate::eval::{Scope, Step, evaluate};
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;
use crate::types::Type;

/// Evaluates constants.
pub(crate) struct Constants {
    functions: FunctionContext,
}

impl Constants {
    /// Builds an evaluator whose functions see no files.
    pub(crate) fn new() -> Self {
        Self { functions: FunctionContext::default() }
    }

    /// Evaluates an expression that must not refer to anything.
    pub(crate) fn value(&self, expr: &Expr) -> Result<ExprValue, Diagnostics> {
        let scope = ConstantScope { file: &expr.file, functions: &self.functions };
        evaluate(&expr.node, &scope)
    }

    /// Evaluates an argument that must not refer to anything.
    pub(crate) fn argument(&self, argument: &Argument) -> Result<ExprValue, Diagnostics> {
        evaluate_argument(argument, &mut |expr| self.value(expr))
    }

    /// Takes a constant argument of a block.
    pub(super) fn field(&self, fields: &mut Fields<'_>, name: &'static str, ty: &Type) -> Option<ExprValue> {
        let expr = fields.expr(name)?;
        let converted = self.value(&expr).and_then(|value| typed(&value, ty, name, &expr));
        match converted {
            Ok(value) => Some(value),
            Err(faults) => {
                fields.faults().extend(faults);
                None
            }
        }
    }

    /// Takes a constant text of a block.
    pub(super) fn text(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Text> {
        self.field(fields, name, &Type::String)?.as_text().cloned()
    }

    /// Takes a constant boolean of a block.
    pub(super) fn bool(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<bool> {
        self.field(fields, name, &Type::Bool)?.as_bool()
    }
}

/// Converts the value of an argument to what the argument takes.
pub(crate) fn typed(value: &ExprValue, ty: &Type, name: &str, expr: &Expr) -> Result<ExprValue, Diagnostics> {
    convert(value, ty).map_err(|error| {
        Diagnostic::error(INVALID_ARGUMENT, format!("invalid value for {name}: {error}"))
            .detail(format!("The given value is {value}."))
            .at(expr.span())
            .hint(format!("give a value of type {ty}"))
            .into()
    })
}

/// Evaluates an argument: an expression, or the object that nested blocks mean. The parser bounds its depth.
pub(crate) fn evaluate_argument(
    argument: &Argument,
    evaluate: &mut dyn FnMut(&Expr) -> Result<ExprValue, Diagnostics>,
) -> Result<ExprValue, Diagnostics> {
    match argument {
        Argument::Expr(expr) => evaluate(expr),
        Argument::Object(entries, _) => {
            let values: Result<Vec<(Text, ExprValue)>, Diagnostics> = entries
                .iter()
                .map(|(Name { text, .. }, entry)| Ok((text.clone(), evaluate_argument(entry, evaluate)?)))
                .collect();
            values.map(ExprValue::object)
        }
    }
}

struct ConstantScope<'a> {
    file: &'a Arc<SourceFile>,
    functions: &'a FunctionContext,
}

impl Scope for ConstantScope<'_> {
    fn resolve(&self, root: &str, _: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        Err(Diagnostic::error(MISPLACED_REFERENCE, format!("{root} cannot be used here"))
            .detail("This argument is needed before anything is evaluated, so it must be a constant.")
            .at(span)
            .into())
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }

    fn functions(&self) -> &FunctionContext {
        self.functions
    }
}
