//! Comparison of numbers of which only a range is known.

use hcl_edit::expr::BinaryOperator;

use super::equality::equal;
use crate::expr_value::ExprValue;

/// Compares two numbers, `None` when the answer is known after apply.
pub(super) fn compare(operator: BinaryOperator, a: &ExprValue, b: &ExprValue) -> Option<bool> {
    let strict = match operator {
        BinaryOperator::Less | BinaryOperator::LessEq => less(a, b),
        _ => less(b, a),
    };
    if matches!(operator, BinaryOperator::Less | BinaryOperator::Greater) || strict == Some(true) {
        return strict;
    }
    match (strict, equal(a, b)) {
        (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn less(a: &ExprValue, b: &ExprValue) -> Option<bool> {
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Some(a < b);
    }
    let (a, b) = (a.refinement(), b.refinement());
    let below = a.to.zip(b.from).is_some_and(|(a, b)| a.number < b.number);
    let above = a.from.zip(b.to).is_some_and(|(a, b)| a.number > b.number);
    match (below, above) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}
