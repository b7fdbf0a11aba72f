//! `condition ? a : b`.

use std::ops::Range;

use hcl_edit::expr::Conditional;

use super::codes::{CONDITION, INCONSISTENT_RESULTS};
use super::{Evaluator, Outcome, range_of};
use crate::convert::convert;
use crate::expr_value::ExprValue;
use crate::types::{Type, unify};

impl Evaluator<'_> {
    /// Evaluates a conditional. Both results are evaluated, for their types; the faults of the one that is not
    /// chosen do not count.
    ///
    /// # Source
    /// Documentation of `OpenTofu`, "Conditional Expressions", "Result Types".
    pub(super) fn conditional(&self, conditional: &Conditional, range: &Range<usize>) -> Outcome {
        let condition = self.condition(&conditional.cond_expr)?;
        let (sensitive, ephemeral) = (condition.is_sensitive(), condition.is_ephemeral());
        let yes = self.value(&conditional.true_expr);
        let no = self.value(&conditional.false_expr);
        let (value, ty) = match (condition.as_bool(), yes, no) {
            (Some(true), Ok(yes), no) => {
                let ty = self.common(&yes, no.ok().as_ref(), range)?;
                (yes, ty)
            }
            (Some(false), yes, Ok(no)) => {
                let ty = self.common(&no, yes.ok().as_ref(), range)?;
                (no, ty)
            }
            (None, Ok(yes), Ok(no)) => {
                let ty = self.common(&yes, Some(&no), range)?;
                let unknown = ExprValue::unknown(ty.unwrap_or(Type::Any));
                let hidden = yes.contains_sensitive() || no.contains_sensitive();
                let kept = !(ephemeral || yes.contains_ephemeral() || no.contains_ephemeral());
                return Ok(unknown.with_sensitivity_of(sensitive || hidden).with_ephemerality_of(!kept));
            }
            (Some(true) | None, Err(faults), _) | (Some(false) | None, _, Err(faults)) => return Err(faults),
        };
        let converted = match ty {
            None => value,
            Some(ty) => convert(&value, &ty)
                .map_err(|error| self.fault(INCONSISTENT_RESULTS, range, error.to_string()))?,
        };
        Ok(converted.with_sensitivity_of(sensitive).with_ephemerality_of(ephemeral))
    }

    /// Evaluates a condition: a boolean, or known after apply.
    pub(super) fn condition(&self, expression: &hcl_edit::expr::Expression) -> Outcome {
        let value = self.value_of(expression, &Type::Bool, CONDITION, "condition")?;
        if value.is_null() {
            return Err(self.fault(CONDITION, &range_of(expression), "invalid condition: it is null").into());
        }
        Ok(value)
    }

    /// Returns the type that the chosen result must be converted to, `None` when it may stay as it is.
    fn common(
        &self,
        chosen: &ExprValue,
        other: Option<&ExprValue>,
        range: &Range<usize>,
    ) -> Outcome<Option<Type>> {
        let Some(other) = other else { return Ok(None) };
        self.within_budget(range, self.budget.work(chosen))?;
        self.within_budget(range, self.budget.work(other))?;
        let (chosen, other) = (chosen.ty(), other.ty());
        if chosen == other || chosen == Type::Any {
            return Ok(None);
        }
        let unified = unify([&chosen, &other]).map(|ty| (ty != chosen).then_some(ty));
        unified.ok_or_else(|| {
            let detail = format!(
                "One result is {}, the other is {}: there is no type that both convert to.",
                chosen.friendly(),
                other.friendly()
            );
            self.fault(INCONSISTENT_RESULTS, range, "the results of the conditional have different types")
                .detail(detail)
                .into()
        })
    }
}
