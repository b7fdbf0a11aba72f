//! Traversals: steps and splats, one after the other.

use std::ops::Range;

use engine_core::diagnostic::Diagnostics;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span};

use super::access::{attribute, index};
use super::codes::{INDEX, NULL_VALUE, SPLAT};
use super::{Evaluator, Outcome, Step, StepKind, range_of};
use crate::expr_value::{Entries, ExprValue, Kind, Refinement, nfc};
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
        let range = splat.span().unwrap_or_default();
        let result = match value.kind() {
            Kind::Null if matches!(value.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let summary = "invalid splat: the list is null";
                return Err(self.fault(NULL_VALUE, &range, summary).into());
            }
            Kind::Null => ExprValue::tuple([]),
            Kind::Unknown(unknown) => self.splat_of_unknown(&unknown.ty, value, &range, each)?,
            Kind::List(items) | Kind::Set(items) if items.is_empty() => {
                let item = self.follow(ExprValue::unknown(items.element().clone()), each)?;
                ExprValue::list(item.ty(), [])
            }
            Kind::List(items) | Kind::Set(items) => {
                let results = self.each(items, &range, each)?;
                let element = one_type(&results).ok_or_else(|| self.unlike_items(&range))?;
                ExprValue::list(element, results)
            }
            Kind::Tuple(items) => ExprValue::tuple(self.each(items, &range, each)?),
            _ => ExprValue::tuple(self.each(std::slice::from_ref(value), &range, each)?),
        };
        Ok(result.with_sensitivity_of(value.is_sensitive()).with_ephemerality_of(value.is_ephemeral()))
    }

    fn each(
        &self,
        items: &[ExprValue],
        range: &Range<usize>,
        each: Operators<'_>,
    ) -> Outcome<Vec<ExprValue>> {
        let results = items.iter().map(|item| {
            self.within_budget(range, self.budget.step())?;
            self.follow(item.clone(), each)
        });
        results.collect()
    }

    /// Applies operators to the items of an unknown value, for the type of the result and its faults.
    fn splat_of_unknown(
        &self,
        ty: &Type,
        value: &ExprValue,
        range: &Range<usize>,
        each: Operators<'_>,
    ) -> Outcome {
        let of = |ty: &Type| Ok(self.follow(ExprValue::unknown(ty.clone()), each)?.ty());
        let (ty, known) = match ty {
            Type::Any => return Ok(ExprValue::unknown(Type::Any)),
            Type::List(element) | Type::Set(element) => {
                let known = value.refinement();
                (Type::list(of(element)?), Refinement::not_null().length(known.least, known.most))
            }
            Type::Tuple(types) => {
                let types: Vec<_> = types.iter().map(of).collect::<Outcome<_>>()?;
                (Type::Tuple(types.into()), Refinement::not_null())
            }
            _ => {
                let only = self.each(std::slice::from_ref(value), range, each)?;
                // If it turns out to be null there is no item.
                let only = value.is_never_null().then(|| ExprValue::tuple(only));
                return Ok(only.unwrap_or_else(|| ExprValue::unknown(Type::Any)));
            }
        };
        Ok(ExprValue::unknown(ty).refined(known))
    }

    fn unlike_items(&self, range: &Range<usize>) -> Diagnostics {
        self.fault(SPLAT, range, "the items of the result have different types")
            .hint("use a for expression: its result is a tuple, whose items may have different types")
            .into()
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

/// Returns the type that all values have, but for those of no known type.
fn one_type(values: &[ExprValue]) -> Option<Type> {
    let mut types = values.iter().map(ExprValue::ty).filter(|ty| *ty != Type::Any);
    let Some(first) = types.next() else { return Some(Type::Any) };
    types.all(|ty| ty == first).then_some(first)
}

/// Returns the bytes of an operator, for the caller that keeps ranges only.
pub(super) fn operator_range(operator: &Decorated<TraversalOperator>) -> Range<usize> {
    operator.span().unwrap_or_default()
}
