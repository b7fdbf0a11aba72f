//! `for_each` and `count`: which instances a block has.

use engine_core::address::InstanceKey;
use engine_core::diagnostic::{Diagnostic, Diagnostics};

use super::scope::{Repeated, Uses};
use super::{Frame, Walk};
use crate::codes::{INSTANCES, SENSITIVE, UNKNOWN_INSTANCES};
use crate::convert::convert;
use crate::expr_value::{ExprValue, Kind};
use crate::module::{Expr, Repeat};
use crate::types::Type;

/// The largest number of instances of an environment.
pub(super) const MAX_INSTANCES: usize = 1_000_000;

/// One instance to evaluate.
pub(super) type Key = (Option<InstanceKey>, Repeated);

impl Walk<'_> {
    /// Returns the instances of a block; `None` when they are not known yet and that is no fault.
    pub(super) fn keys(
        &self,
        frame: &Frame<'_>,
        repeat: &Repeat,
        uses: &mut Uses,
    ) -> Result<Option<Vec<Key>>, Diagnostics> {
        match repeat {
            Repeat::Once => Ok(Some(vec![(None, Repeated::Once)])),
            Repeat::ForEach(expr) => {
                let value = self.expr(frame, expr, &Repeated::Once, uses)?;
                self.for_each(&value, expr)
            }
            Repeat::Count(expr) => {
                let value = self.expr(frame, expr, &Repeated::Once, uses)?;
                self.count(&value, expr)
            }
        }
    }

    fn for_each(&self, value: &ExprValue, expr: &Expr) -> Result<Option<Vec<Key>>, Diagnostics> {
        if value.is_sensitive() {
            return Err(sensitive("for_each", expr));
        }
        match value.kind() {
            Kind::Unknown(_) => self.unknown("for_each", expr),
            Kind::Map(entries) | Kind::Object(entries) => Ok(Some(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let each = Repeated::Each { key: ExprValue::text(key.clone()), value: value.clone() };
                        (Some(InstanceKey::String(key.clone())), each)
                    })
                    .collect(),
            )),
            Kind::Set(items) => items
                .iter()
                .map(|item| {
                    let text = item.as_text().ok_or_else(|| wrong(value, expr))?;
                    let each = Repeated::Each { key: item.clone(), value: item.clone() };
                    Ok((Some(InstanceKey::String(text.clone())), each))
                })
                .collect::<Result<Vec<Key>, Diagnostics>>()
                .map(Some),
            _ => Err(wrong(value, expr)),
        }
    }

    fn count(&self, value: &ExprValue, expr: &Expr) -> Result<Option<Vec<Key>>, Diagnostics> {
        if value.is_sensitive() {
            return Err(sensitive("count", expr));
        }
        if value.is_unknown() {
            return self.unknown("count", expr);
        }
        let count = convert(value, &Type::Number)
            .ok()
            .and_then(|number| number.as_number()?.as_i64())
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count <= MAX_INSTANCES);
        let Some(count) = count else {
            let summary = format!("count must be a whole number from 0 to {MAX_INSTANCES}");
            return Err(Diagnostic::error(INSTANCES, summary)
                .detail(format!("The given value is {value}."))
                .at(expr.span())
                .into());
        };
        let keys = (0..count as u64).map(|idx| {
            let index = Repeated::Count(ExprValue::number(idx));
            (Some(InstanceKey::Int(idx)), index)
        });
        Ok(Some(keys.collect()))
    }

    fn unknown(&self, what: &str, expr: &Expr) -> Result<Option<Vec<Key>>, Diagnostics> {
        if self.is_provisional() {
            return Ok(None);
        }
        Err(Diagnostic::error(
            UNKNOWN_INSTANCES,
            format!("{what} depends on a value that is known only after apply"),
        )
        .detail("A plan must be able to say which instances there are.")
        .at(expr.span())
        .hint("use keys that the definition itself knows, and the unknown values inside the block")
        .into())
    }
}

fn sensitive(what: &str, expr: &Expr) -> Diagnostics {
    Diagnostic::error(SENSITIVE, format!("{what} depends on a sensitive value"))
        .detail("Instances show in addresses, so the value would be disclosed.")
        .at(expr.span())
        .hint(format!("if the keys may be shown: {what} = nonsensitive(…)"))
        .into()
}

fn wrong(value: &ExprValue, expr: &Expr) -> Diagnostics {
    let hint = match value.kind() {
        Kind::List(_) | Kind::Tuple(_) => "turn the list into a set: toset(…)",
        Kind::Set(_) => "every item must be a string",
        _ => "use a map, or a set of strings",
    };
    Diagnostic::error(INSTANCES, "for_each must be a map or a set of strings")
        .detail(format!("The given value is {value}."))
        .at(expr.span())
        .hint(hint)
        .into()
}
