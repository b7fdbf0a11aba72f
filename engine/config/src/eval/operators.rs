//! Unary and binary operators.

use bigdecimal::{BigDecimal, Zero};
use engine_core::diagnostic::Code;
use engine_core::value::Number;
use hcl_edit::Span;
use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, UnaryOp, UnaryOperator};

use super::codes::{DIVISION_BY_ZERO, NUMBER_RANGE, OPERAND};
use super::{Evaluator, Outcome, given, range_of};
use crate::convert::convert;
use crate::expr_value::{ExprValue, order};
use crate::types::Type;

/// How many digits before or behind the point a computed number may have.
const MAX_DIGITS: u64 = 8192;

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &UnaryOp) -> Outcome {
        let operator = *operation.operator.value();
        let ty = match operator {
            UnaryOperator::Neg => Type::Number,
            UnaryOperator::Not => Type::Bool,
        };
        let value = self.operand(&operation.expr, &ty, operator.as_str())?;
        let result = match operator {
            UnaryOperator::Neg => {
                value.as_number().and_then(|number| bounded(-number.to_decimal())).map(ExprValue::number)
            }
            UnaryOperator::Not => value.as_bool().map(|bool| ExprValue::bool(!bool)),
        };
        let result = result.unwrap_or_else(|| ExprValue::unknown(ty));
        Ok(result.with_sensitivity_of(value.is_sensitive()))
    }

    pub(super) fn binary(&self, operation: &BinaryOp) -> Outcome {
        let operator = *operation.operator.value();
        let (lhs, rhs) = (&operation.lhs_expr, &operation.rhs_expr);
        match operator {
            BinaryOperator::And | BinaryOperator::Or => self.logical(operator, lhs, rhs),
            BinaryOperator::Eq | BinaryOperator::NotEq => {
                let (lhs, rhs) = (self.value(lhs)?, self.value(rhs)?);
                let range = operation.span().unwrap_or_default();
                self.within_budget(&range, self.budget.work(&lhs))?;
                let negated = operator == BinaryOperator::NotEq;
                let result = match equal(&lhs, &rhs) {
                    Some(equal) => ExprValue::bool(equal != negated),
                    None => ExprValue::unknown(Type::Bool),
                };
                Ok(result.with_sensitivity_of(lhs.contains_sensitive() || rhs.contains_sensitive()))
            }
            BinaryOperator::Less
            | BinaryOperator::LessEq
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEq => {
                self.on_numbers(operation, Type::Bool, |a, b| Ok(ExprValue::bool(compare(operator, a, b))))
            }
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Mul
            | BinaryOperator::Div
            | BinaryOperator::Mod => self.on_numbers(operation, Type::Number, |a, b| {
                arithmetic(operator, a, b).map(ExprValue::number)
            }),
        }
    }

    /// Evaluates `&&` and `||`. The right side is not looked at when the left side decides.
    fn logical(&self, operator: BinaryOperator, lhs: &Expression, rhs: &Expression) -> Outcome {
        let deciding = operator == BinaryOperator::Or;
        let left = self.operand(lhs, &Type::Bool, operator.as_str())?;
        if left.as_bool() == Some(deciding) {
            return Ok(left);
        }
        let right = self.operand(rhs, &Type::Bool, operator.as_str())?;
        let result = match (left.as_bool(), right.as_bool()) {
            (_, Some(right)) if right == deciding => ExprValue::bool(deciding),
            (Some(_), Some(right)) => ExprValue::bool(right),
            _ => ExprValue::unknown(Type::Bool),
        };
        Ok(result.with_sensitivity_of(left.is_sensitive() || right.is_sensitive()))
    }

    fn on_numbers(
        &self,
        operation: &BinaryOp,
        ty: Type,
        compute: impl FnOnce(&Number, &Number) -> Result<ExprValue, (Code, &'static str)>,
    ) -> Outcome {
        let operator = operation.operator.value().as_str();
        let lhs = self.operand(&operation.lhs_expr, &Type::Number, operator)?;
        let rhs = self.operand(&operation.rhs_expr, &Type::Number, operator)?;
        let result = match (lhs.as_number(), rhs.as_number()) {
            (Some(a), Some(b)) => compute(a, b).map_err(|(code, summary)| {
                self.fault(code, &operation.span().unwrap_or_default(), summary)
            })?,
            _ => ExprValue::unknown(ty),
        };
        Ok(result.with_sensitivity_of(lhs.is_sensitive() || rhs.is_sensitive()))
    }

    /// Evaluates an operand: of the type and not null, or known after apply.
    fn operand(&self, expression: &Expression, ty: &Type, operator: &str) -> Outcome {
        let value = self.value(expression)?;
        let range = range_of(expression);
        if value.is_null() {
            let summary = format!("invalid operand of {operator}: it is null");
            return Err(self.fault(OPERAND, &range, summary).into());
        }
        convert(&value, ty).map_err(|error| {
            self.fault(OPERAND, &range, format!("invalid operand of {operator}: {error}"))
                .detail(given(&value))
                .into()
        })
    }
}

/// Tells whether two values are equal, `None` when that is known after apply.
///
/// Values of different types are different: a tuple is no list, the text of a number is no number.
///
/// # Source
/// Documentation of `OpenTofu`, "Arithmetic and Logical Operators", "Equality Operators".
pub(crate) fn equal(a: &ExprValue, b: &ExprValue) -> Option<bool> {
    if a.is_unknown() || b.is_unknown() {
        return None;
    }
    if a.is_null() || b.is_null() {
        return Some(a.is_null() && b.is_null());
    }
    (a.is_wholly_known() && b.is_wholly_known()).then(|| order(a, b).is_eq())
}

fn compare(operator: BinaryOperator, a: &Number, b: &Number) -> bool {
    match operator {
        BinaryOperator::Less => a < b,
        BinaryOperator::LessEq => a <= b,
        BinaryOperator::Greater => a > b,
        _ => a >= b,
    }
}

fn arithmetic(operator: BinaryOperator, a: &Number, b: &Number) -> Result<Number, (Code, &'static str)> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        let exact = match operator {
            BinaryOperator::Plus => a.checked_add(b),
            BinaryOperator::Minus => a.checked_sub(b),
            BinaryOperator::Mul => a.checked_mul(b),
            BinaryOperator::Mod => a.checked_rem(b),
            _ => None,
        };
        if let Some(exact) = exact {
            return Ok(exact.into());
        }
    }
    let (a, b) = (a.to_decimal(), b.to_decimal());
    let result = match operator {
        BinaryOperator::Plus => a + b,
        BinaryOperator::Minus => a - b,
        BinaryOperator::Mul => a * b,
        _ if b.is_zero() => return Err((DIVISION_BY_ZERO, "division by zero")),
        BinaryOperator::Mod => a % b,
        _ => a / b,
    };
    bounded(result).ok_or((NUMBER_RANGE, "number out of range"))
}

/// Returns the number unless it has so many digits that repeated arithmetic could use up memory.
pub(crate) fn bounded(decimal: BigDecimal) -> Option<Number> {
    let scale = decimal.fractional_digit_count().unsigned_abs();
    (scale <= MAX_DIGITS && decimal.digits() <= MAX_DIGITS).then(|| decimal.into())
}
