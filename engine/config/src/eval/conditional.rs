//! `condition ? a : b`.

use std::ops::Range;

use engine_core::value::Number;
use hcl_edit::expr::{BinaryOperator, Conditional, Expression, UnaryOperator};

use super::codes::{CONDITION, INCONSISTENT_RESULTS};
use super::{Evaluator, Outcome, given, range_of};
use crate::convert::convert;
use crate::expr_value::{Bound, ExprValue, Refinement};
use crate::types::{Type, unify};

impl Evaluator<'_> {
    /// Evaluates a conditional. Both results are evaluated, for their types; the faults of the one that is not
    /// chosen do not count.
    ///
    /// # Source
    /// Documentation of `OpenTofu`, "Conditional Expressions", "Result Types".
    pub(super) fn conditional(&self, conditional: &Conditional, range: &Range<usize>) -> Outcome {
        let arm = |expression| (self.value(expression), type_of_faulty(expression));
        let arms = (arm(&conditional.true_expr), arm(&conditional.false_expr));
        self.choose(&conditional.cond_expr, arms, range)
    }

    /// Chooses one of two results, each with the type that it counts as should it have a fault. Whatever is sensitive
    /// of the three makes the result sensitive: it may tell which one was chosen.
    pub(super) fn choose(
        &self,
        condition: &Expression,
        ((yes, yes_type), (no, no_type)): ((Outcome, Type), (Outcome, Type)),
        range: &Range<usize>,
    ) -> Outcome {
        // A result that is too costly is a fault of the whole.
        let (yes, no) = if self.budget.is_exhausted() { (Ok(yes?), Ok(no?)) } else { (yes, no) };
        let (yes_fault, no_fault) = (ExprValue::unknown(yes_type), ExprValue::unknown(no_type));
        let ty = self.common(yes.as_ref().unwrap_or(&yes_fault), no.as_ref().unwrap_or(&no_fault), range)?;
        let condition = self.condition_value(condition)?;
        let any = |marked: fn(&ExprValue) -> bool| {
            marked(&condition) || [&yes, &no].into_iter().any(|result| result.as_ref().is_ok_and(marked))
        };
        let (sensitive, ephemeral) = (any(ExprValue::is_sensitive), any(ExprValue::is_ephemeral));
        if condition.is_unknown() {
            let result = either(&yes.unwrap_or(yes_fault), &no.unwrap_or(no_fault), ty);
            return Ok(result.with_sensitivity_of(sensitive).with_ephemerality_of(ephemeral));
        }
        let chosen = if condition.as_bool() == Some(true) { yes? } else { no? };
        let converted = if chosen.ty() == ty {
            chosen
        } else {
            convert(&chosen, &ty)
                .map_err(|error| self.fault(INCONSISTENT_RESULTS, range, error.to_string()))?
        };
        Ok(converted.with_sensitivity_of(sensitive).with_ephemerality_of(ephemeral))
    }

    /// Evaluates a condition: a boolean, or known after apply.
    pub(super) fn condition(&self, expression: &Expression) -> Outcome {
        let value = self.condition_value(expression)?;
        self.converted_condition(&value, &range_of(expression))
    }

    /// Evaluates a condition: a boolean, or a value of any type that is known after apply.
    pub(super) fn condition_value(&self, expression: &Expression) -> Outcome {
        let value = self.value(expression)?;
        let range = range_of(expression);
        if value.is_null() {
            return Err(self.fault(CONDITION, &range, "invalid condition: it is null").into());
        }
        if value.is_unknown() { Ok(value) } else { self.converted_condition(&value, &range) }
    }

    fn converted_condition(&self, value: &ExprValue, range: &Range<usize>) -> Outcome {
        convert(value, &Type::Bool).map_err(|error| {
            self.fault(CONDITION, range, format!("invalid condition: {error}")).detail(given(value)).into()
        })
    }

    /// Returns the type that the chosen result is converted to.
    fn common(&self, yes: &ExprValue, no: &ExprValue, range: &Range<usize>) -> Outcome<Type> {
        self.within_budget(range, self.budget.work(yes))?;
        self.within_budget(range, self.budget.work(no))?;
        let (a, b) = (yes.ty(), no.ty());
        match (&a, &b) {
            (Type::Any, _) if is_bare_null(yes) => return Ok(b),
            (_, Type::Any) if is_bare_null(no) => return Ok(a),
            (Type::Any, _) | (_, Type::Any) => return Ok(Type::Any),
            (a, b) if a == b => return Ok(Type::clone(a)),
            _ => {}
        }
        unify([&a, &b]).ok_or_else(|| {
            let detail = format!(
                "One result is {}, the other is {}: there is no type that both convert to.",
                a.friendly(),
                b.friendly()
            );
            self.fault(INCONSISTENT_RESULTS, range, "the results of the conditional have different types")
                .detail(detail)
                .into()
        })
    }
}

/// Returns the type that an expression has even when it has a fault, as far as its form tells.
pub(super) fn type_of_faulty(expression: &Expression) -> Type {
    match expression {
        Expression::Parenthesis(inner) => type_of_faulty(inner.inner()),
        Expression::HeredocTemplate(_) => Type::String,
        Expression::StringTemplate(template) if template.as_single_element().is_none() => Type::String,
        Expression::UnaryOp(operation) => match operation.operator.value() {
            UnaryOperator::Neg => Type::Number,
            UnaryOperator::Not => Type::Bool,
        },
        Expression::BinaryOp(operation) => match operation.operator.value() {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Mul
            | BinaryOperator::Div
            | BinaryOperator::Mod => Type::Number,
            _ => Type::Bool,
        },
        _ => Type::Any,
    }
}

/// Tells whether a value is null as it is written, which is of the type of whatever stands beside it.
fn is_bare_null(value: &ExprValue) -> bool {
    value.is_null() && !value.is_sensitive()
}

/// Returns what is known of a value that will be one of two.
fn either(yes: &ExprValue, no: &ExprValue, ty: Type) -> ExprValue {
    if yes.is_null() && no.is_null() {
        return ExprValue::null(ty);
    }
    let (a, b) = (yes.refinement(), no.refinement());
    let mut known = Refinement { not_null: a.not_null && b.not_null, ..Refinement::default() };
    match (yes.ty(), no.ty()) {
        (Type::Number, Type::Number) => {
            known.from = a.from.zip(b.from).map(|(a, b)| outer(a, b, |a, b| a < b));
            known.to = a.to.zip(b.to).map(|(a, b)| outer(a, b, |a, b| a > b));
        }
        (a_type @ (Type::List(_) | Type::Set(_) | Type::Map(_)), b_type) if a_type == b_type => {
            let most = a.most.zip(b.most).map(|(a, b)| a.max(b));
            known = known.length(a.least.min(b.least), most);
        }
        _ => {}
    }
    ExprValue::unknown(ty).refined(known)
}

/// Returns the bound that admits what either of two bounds admits.
fn outer(a: Bound, b: Bound, further: fn(&Number, &Number) -> bool) -> Bound {
    if a.number == b.number {
        let inclusive = a.inclusive || b.inclusive;
        return Bound { inclusive, ..a };
    }
    if further(&a.number, &b.number) { a } else { b }
}
