//! Arguments that are needed before anything is evaluated: literals and calls of functions on literals.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;

use super::argument::{Bound, evaluate_argument};
use super::fields::Fields;
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
        let scope = ConstantScope { file: &expr.file, functions: &self.functions, bound: &Bound::new() };
        evaluate(&expr.node, &scope)
    }

    /// Evaluates an argument that must not refer to anything.
    pub(crate) fn argument(&self, argument: &Argument) -> Result<ExprValue, Diagnostics> {
        let evaluate = &mut |expr: &Expr, bound: &Bound| {
            let scope = ConstantScope { file: &expr.file, functions: &self.functions, bound };
            evaluate(&expr.node, &scope)
        };
        Ok(evaluate_argument(argument, evaluate)?.unwrap_or(ExprValue::NULL))
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
    pub(crate) fn text(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<Text> {
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

struct ConstantScope<'a> {
    file: &'a Arc<SourceFile>,
    functions: &'a FunctionContext,
    bound: &'a Bound,
}

impl Scope for ConstantScope<'_> {
    fn resolve(&self, root: &str, _: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(name, _)| name == root) {
            return Ok((value.clone(), 0));
        }
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
