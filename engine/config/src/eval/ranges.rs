//! Arithmetic and comparison on numbers of which only a range is known.

use std::cmp::Ordering;

use engine_core::value::Number;
use hcl_edit::expr::BinaryOperator;

use super::equality::equal;
use super::operators::arithmetic;
use crate::expr_value::{ExprValue, Refinement};

/// An end of a range of numbers.
#[derive(Clone, PartialEq, Eq)]
enum End {
    Below,
    At(Number),
    Above,
}

/// Returns the ends of the range of a number that may be unknown.
fn ends(number: &ExprValue) -> (End, End) {
    let range = number.refinement();
    let from = range.from.map_or(End::Below, |from| End::At(from.number));
    (from, range.to.map_or(End::Above, |to| End::At(to.number)))
}

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
    let ((a_from, a_to), (b_from, b_to)) = (ends(a), ends(b));
    match () {
        () if a_to < b_from => Some(true),
        () if a_from > b_to => Some(false),
        () => None,
    }
}

/// Returns what is known of the result of an operation, one of whose operands is unknown.
pub(super) fn result(operator: BinaryOperator, a: &ExprValue, b: &ExprValue) -> Refinement {
    let ((a_from, a_to), (b_from, b_to)) = (ends(a), ends(b));
    let ends = [(&a_from, &b_from), (&a_from, &b_to), (&a_to, &b_from), (&a_to, &b_to)];
    let corners: Option<Vec<_>> = ends.into_iter().map(|(a, b)| corner(operator, a, b)).collect();
    let known = Refinement::not_null();
    let Some(corners) = corners else { return known };
    let finite = |end: Option<&End>| match end {
        Some(End::At(number)) => Some(number.clone()),
        _ => None,
    };
    known.range(finite(corners.iter().min()), finite(corners.iter().max()))
}

/// Computes with two ends, `None` where that has no meaning.
fn corner(operator: BinaryOperator, a: &End, b: &End) -> Option<End> {
    if let (End::At(a), End::At(b)) = (a, b) {
        return match operator {
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Mul => {
                arithmetic(operator, a, b).ok().map(End::At)
            }
            _ => None,
        };
    }
    match operator {
        BinaryOperator::Plus => sum(a, b.clone()),
        BinaryOperator::Minus => sum(
            a,
            match b {
                End::Below => End::Above,
                End::Above => End::Below,
                finite => finite.clone(),
            },
        ),
        BinaryOperator::Mul => match (sign(a), sign(b)) {
            (Ordering::Equal, _) | (_, Ordering::Equal) => None,
            (a, b) if a == b => Some(End::Above),
            _ => Some(End::Below),
        },
        _ => None,
    }
}

/// Adds two ends, one of which is infinite at least.
fn sum(a: &End, b: End) -> Option<End> {
    match (a, b) {
        (End::At(_), infinite) => Some(infinite),
        (infinite, End::At(_)) => Some(infinite.clone()),
        (a, b) => (*a == b).then_some(b),
    }
}

/// Returns on which side of zero an end lies.
fn sign(end: &End) -> Ordering {
    match end {
        End::Below => Ordering::Less,
        End::At(number) => number.cmp(&Number::from(0_i64)),
        End::Above => Ordering::Greater,
    }
}

impl PartialOrd for End {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for End {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::At(a), Self::At(b)) => a.cmp(b),
            (a, b) if a == b => Ordering::Equal,
            (Self::Below, _) | (_, Self::Above) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}
