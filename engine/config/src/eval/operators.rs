//! Unary and binary operators.

use bigdecimal::{BigDecimal, Zero};
use engine_core::diagnostic::{Code, Diagnostics};
use engine_core::value::Number;
use hcl_edit::Span;
use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, UnaryOp, UnaryOperator};

use super::codes::{DIVISION_BY_ZERO, NUMBER_RANGE, OPERAND};
use super::conditional::type_of_faulty;
use super::equality::equal;
use super::{Evaluator, Outcome, given, range_of, ranges};
use crate::convert::convert;
use crate::expr_value::ExprValue;
use crate::types::{Type, convertible};

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
        let result = result.unwrap_or_else(|| ExprValue::unknown(ty).known_not_null());
        Ok(result.with_sensitivity_of(value.is_sensitive()))
    }

    pub(super) fn binary(&self, operation: &BinaryOp) -> Outcome {
        let operator = *operation.operator.value();
        let (lhs, rhs) = (&operation.lhs_expr, &operation.rhs_expr);
        match operator {
            BinaryOperator::And | BinaryOperator::Or => self.logical(operator, lhs, rhs),
            BinaryOperator::Eq | BinaryOperator::NotEq => self.equality(operation, lhs, rhs),
            BinaryOperator::Less
            | BinaryOperator::LessEq
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEq => self.on_numbers(operation, |a, b| {
                Ok(ranges::compare(operator, a, b).map_or_else(unknown_bool, ExprValue::bool))
            }),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Mul
            | BinaryOperator::Div
            | BinaryOperator::Mod => {
                self.on_numbers(operation, |a, b| match (a.as_number(), b.as_number()) {
                    (Some(a), Some(b)) => arithmetic(operator, a, b).map(ExprValue::number),
                    _ => Ok(ExprValue::unknown(Type::Number).known_not_null()),
                })
            }
        }
    }

    fn equality(&self, operation: &BinaryOp, lhs: &Expression, rhs: &Expression) -> Outcome {
        let (lhs, rhs) = (self.value(lhs)?, self.value(rhs)?);
        let range = operation.span().unwrap_or_default();
        self.within_budget(&range, self.budget.work(&lhs))?;
        self.within_budget(&range, self.budget.work(&rhs))?;
        let negated = *operation.operator.value() == BinaryOperator::NotEq;
        let result = equal(&lhs, &rhs).map_or_else(unknown_bool, |equal| ExprValue::bool(equal != negated));
        let sensitive = lhs.contains_sensitive() || rhs.contains_sensitive();
        Ok(result.with_sensitivity_of(sensitive))
    }

    /// Evaluates `&&` and `||`. Where one side decides, faults of the other do not count; both must be of the type.
    fn logical(&self, operator: BinaryOperator, lhs: &Expression, rhs: &Expression) -> Outcome {
        let deciding = operator == BinaryOperator::Or;
        let left = self.logical_operand(lhs, operator)?;
        let right = self.logical_operand(rhs, operator)?;
        let known = |side: &Outcome| side.as_ref().ok().and_then(ExprValue::as_bool);
        let of = |side: &Outcome| side.as_ref().is_ok_and(ExprValue::is_sensitive);
        let sensitive = of(&left) || of(&right);
        let result = match (known(&left), known(&right)) {
            (Some(left), _) if left == deciding => ExprValue::bool(deciding),
            (_, Some(right)) if right == deciding => ExprValue::bool(deciding),
            (Some(_), Some(_)) => ExprValue::bool(!deciding),
            (Some(_), None) => {
                right?;
                unknown_bool()
            }
            // A fault on the right may not matter once the left is known.
            (None, _) => {
                left?;
                unknown_bool()
            }
        };
        Ok(result.with_sensitivity_of(sensitive))
    }

    /// Evaluates one side of `&&` or `||`. Its own faults are in the inner result.
    fn logical_operand(&self, expression: &Expression, operator: BinaryOperator) -> Outcome<Outcome> {
        let value = match self.value(expression) {
            Err(faults) if self.budget.is_exhausted() => return Err(faults),
            Err(faults) if !convertible(&type_of_faulty(expression), &Type::Bool) => return Err(faults),
            Err(faults) => return Ok(Err(faults)),
            Ok(value) => self.operand_of(&value, expression, &Type::Bool, operator.as_str())?,
        };
        if value.is_null() {
            Ok(Err(self.null_operand(expression, operator.as_str())))
        } else {
            Ok(Ok(value))
        }
    }

    fn on_numbers(
        &self,
        operation: &BinaryOp,
        compute: impl FnOnce(&ExprValue, &ExprValue) -> Result<ExprValue, (Code, &'static str)>,
    ) -> Outcome {
        let operator = operation.operator.value().as_str();
        let lhs = self.operand(&operation.lhs_expr, &Type::Number, operator)?;
        let rhs = self.operand(&operation.rhs_expr, &Type::Number, operator)?;
        let result = compute(&lhs, &rhs)
            .map_err(|(code, summary)| self.fault(code, &operation.span().unwrap_or_default(), summary))?;
        Ok(result.with_sensitivity_of(lhs.is_sensitive() || rhs.is_sensitive()))
    }

    /// Evaluates an operand: of the type and not null, or known after apply.
    fn operand(&self, expression: &Expression, ty: &Type, operator: &str) -> Outcome {
        let value = self.value(expression)?;
        let value = self.operand_of(&value, expression, ty, operator)?;
        if value.is_null() { Err(self.null_operand(expression, operator)) } else { Ok(value) }
    }

    fn operand_of(&self, value: &ExprValue, expression: &Expression, ty: &Type, operator: &str) -> Outcome {
        convert(value, ty).map_err(|error| {
            self.fault(OPERAND, &range_of(expression), format!("invalid operand of {operator}: {error}"))
                .detail(given(value))
                .into()
        })
    }

    fn null_operand(&self, expression: &Expression, operator: &str) -> Diagnostics {
        let summary = format!("invalid operand of {operator}: it is null");
        self.fault(OPERAND, &range_of(expression), summary).into()
    }
}

fn unknown_bool() -> ExprValue {
    ExprValue::unknown(Type::Bool).known_not_null()
}

pub(super) fn arithmetic(
    operator: BinaryOperator,
    a: &Number,
    b: &Number,
) -> Result<Number, (Code, &'static str)> {
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
