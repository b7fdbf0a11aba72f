//! Traversals: steps and splats, one after the other.

use std::ops::Range;

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span};

use super::access::{attribute, index};
use super::codes::{INDEX, SPLAT};
use super::{Evaluator, Outcome, Step, StepKind, range_of};
use crate::convert::convert;
use crate::expr_value::{Entries, ExprValue, Kind, nfc};
use crate::types::Type;

/// How many splats one traversal may have. Each is a level of recursion.
const MAX_SPLATS: usize = 16;

type Operators<'e> = &'e [Decorated<TraversalOperator>];

impl Evaluator<'_> {
    pub(super) fn traversal(&self, traversal: &Traversal) -> Outcome {
        let operators = traversal.operators.as_slice();
        let splats = operators.iter().filter(|operator| is_splat(operator)).count();
        if splats > MAX_SPLATS {
            let range = traversal.span().unwrap_or_default();
            let summary = format!("more than {MAX_SPLATS} splats in one traversal");
            return Err(self.fault(SPLAT, &range, summary).into());
        }
        let Expression::Variable(name) = &traversal.expr else {
            return self.follow(self.value(&traversal.expr)?, operators);
        };
        let plain = operators.iter().take_while(|operator| !is_splat(operator)).count();
        let (direct, rest) = operators.split_at(plain);
        let steps = self.steps(direct)?;
        let range = range_of(&traversal.expr);
        let whole = steps.last().map_or(range.end, |step| step.range.end);
        let (value, taken) = self.root(name.as_str(), &steps, &(range.start..whole))?;
        let value = steps[taken..].iter().try_fold(value, |value, step| self.go(&value, step))?;
        self.follow(value, rest)
    }

    /// Evaluates the steps of operators that are no splats.
    fn steps(&self, operators: Operators<'_>) -> Outcome<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::with_capacity(operators.len());
        let mut legacy = false;
        for operator in operators {
            let range = operator.span().unwrap_or_default();
            let kind = match operator.value() {
                TraversalOperator::GetAttr(name) => StepKind::Attribute(nfc(name.as_str())),
                TraversalOperator::Index(key) => StepKind::Index(self.value(key)?),
                TraversalOperator::LegacyIndex(_) if legacy => {
                    let diagnostic = self
                        .fault(INDEX, &range, "two indexes of the form `.0` in a row")
                        .hint("write [0][1] instead of .0.1");
                    return Err(diagnostic.into());
                }
                TraversalOperator::LegacyIndex(idx) => StepKind::Index(ExprValue::number(*idx.value())),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => break,
            };
            legacy = matches!(operator.value(), TraversalOperator::LegacyIndex(_));
            steps.push(Step { kind, range });
        }
        Ok(steps)
    }

    /// Takes operators one after the other, splats included.
    fn follow(&self, value: ExprValue, operators: Operators<'_>) -> Outcome {
        let plain = operators.iter().take_while(|operator| !is_splat(operator)).count();
        let (direct, rest) = operators.split_at(plain);
        let value = self.steps(direct)?.iter().try_fold(value, |value, step| self.go(&value, step))?;
        match rest.split_first() {
            None => Ok(value),
            Some((splat, rest)) if matches!(splat.value(), TraversalOperator::FullSplat(_)) => {
                self.splat(&value, splat, rest)
            }
            Some((splat, rest)) => {
                let own = rest.iter().take_while(|operator| is_attribute(operator)).count();
                let (own, rest) = rest.split_at(own);
                if let Some(next) = rest.first().filter(|next| is_attr_splat(next)) {
                    let range = next.span().unwrap_or_default();
                    let summary = "a splat inside an attribute-only splat";
                    return Err(self.fault(SPLAT, &range, summary).hint("use [*]").into());
                }
                let value = self.splat(&value, splat, own)?;
                self.follow(value, rest)
            }
        }
    }

    /// Applies operators to every item. Null has no items; anything else that is no list is the only item.
    fn splat(&self, value: &ExprValue, splat: &Decorated<TraversalOperator>, each: Operators<'_>) -> Outcome {
        let (sensitive, ephemeral) = (value.is_sensitive(), value.is_ephemeral());
        let items: &[ExprValue] = match value.kind() {
            Kind::Null => &[],
            Kind::Unknown(_) => {
                let unknown = ExprValue::unknown(Type::Any).with_sensitivity_of(sensitive);
                return Ok(unknown.with_ephemerality_of(ephemeral));
            }
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => items,
            _ => std::slice::from_ref(value),
        };
        let range = splat.span().unwrap_or_default();
        let results: Vec<_> = items
            .iter()
            .map(|item| {
                self.within_budget(&range, self.budget.step())?;
                self.follow(item.clone(), each)
            })
            .collect::<Outcome<_>>()?;
        let result = match value.kind() {
            Kind::List(_) | Kind::Set(_) => as_list(results),
            _ => ExprValue::tuple(results),
        };
        Ok(result.with_sensitivity_of(sensitive).with_ephemerality_of(ephemeral))
    }

    fn go(&self, value: &ExprValue, step: &Step) -> Outcome {
        let result = match &step.kind {
            StepKind::Attribute(name) => attribute(value, name),
            StepKind::Index(key) => index(value, key),
        };
        result.map_err(|fault| {
            // The fault has looked through all names for the one that was meant.
            let names = value.as_entries().map_or(0, Entries::len);
            match self.budget.steps(names as u64) {
                Ok(()) => fault.at(self.span(&step.range)).into(),
                Err(exhausted) => self.exhausted(&step.range, exhausted),
            }
        })
    }
}

fn is_splat(operator: &Decorated<TraversalOperator>) -> bool {
    is_attr_splat(operator) || matches!(operator.value(), TraversalOperator::FullSplat(_))
}

fn is_attr_splat(operator: &Decorated<TraversalOperator>) -> bool {
    matches!(operator.value(), TraversalOperator::AttrSplat(_))
}

fn is_attribute(operator: &Decorated<TraversalOperator>) -> bool {
    matches!(operator.value(), TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_))
}

/// Builds the list that a splat over a list gives; its results have one type unless they hold nulls of any.
fn as_list(results: Vec<ExprValue>) -> ExprValue {
    let tuple = ExprValue::tuple(results);
    convert(&tuple, &Type::list(Type::Any)).unwrap_or(tuple)
}

/// Returns the bytes of an operator, for the caller that keeps ranges only.
pub(super) fn operator_range(operator: &Decorated<TraversalOperator>) -> Range<usize> {
    operator.span().unwrap_or_default()
}
