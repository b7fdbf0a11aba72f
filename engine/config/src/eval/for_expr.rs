//! `[for …]` and `{for …}`.

use std::collections::BTreeMap;
use std::ops::Range;

use engine_core::value::Text;
use hcl_edit::expr::{Expression, ForExpr};

use super::codes::{DUPLICATE_KEY, FOR_COLLECTION};
use super::{Evaluator, Local, Outcome, given, range_of};
use crate::expr_value::{ExprValue, Kind};
use crate::types::Type;

/// What a `for` goes through.
pub(super) struct Iteration {
    /// Keys and values; `None` when they are known after apply.
    pub(super) items: Option<Vec<(ExprValue, ExprValue)>>,
    /// Whether the collection is sensitive.
    pub(super) sensitive: bool,
    /// Whether it is known to be a collection.
    pub(super) is_typed: bool,
    /// Whether its keys are its items.
    pub(super) is_set: bool,
}

/// The names that a `for` binds.
#[derive(Clone, Copy)]
pub(super) struct Names<'e> {
    pub(super) key: Option<&'e str>,
    pub(super) value: &'e str,
}

impl Names<'_> {
    /// Tells whether an expression is the name of the key and nothing else.
    fn is_key(self, expression: &Expression) -> bool {
        matches!(expression, Expression::Variable(name) if Some(name.as_str()) == self.key)
    }
}

/// What comes out of one turn of a `for`.
struct Turn {
    key: Option<ExprValue>,
    value: ExprValue,
}

/// What all turns so far have in common.
#[derive(Default)]
struct Marks {
    sensitive: bool,
    secret_keys: bool,
    unknown: bool,
}

impl Evaluator<'_> {
    pub(super) fn for_expr(&self, for_expr: &ForExpr, range: &Range<usize>) -> Outcome {
        let names = Names {
            key: for_expr.intro.key_var.as_ref().map(|name| name.as_str()),
            value: for_expr.intro.value_var.as_str(),
        };
        let iteration = self.iteration(&for_expr.intro.collection_expr)?;
        let unknown = iteration.items.is_none();
        // What comes out of a secret collection is secret, but for the keys that it has of itself.
        let keeps_keys = !iteration.is_set && for_expr.key_expr.as_ref().is_some_and(|key| names.is_key(key));
        let secret_keys = iteration.sensitive && !keeps_keys;
        let mut marks = Marks { sensitive: iteration.sensitive, secret_keys, unknown };
        if iteration.is_typed {
            marks.sensitive |= self.condition_in_general(for_expr, names)? && marks.unknown;
        }
        let mut turns = Vec::new();
        for (key, value) in iteration.items.unwrap_or_default() {
            let turn = self.bound(names, key, value, |inner| inner.turn(for_expr, &mut marks))?;
            turns.extend(turn);
        }
        let result = match &for_expr.key_expr {
            None => ExprValue::tuple(turns.into_iter().map(|turn| turn.value)),
            Some(_) if for_expr.grouping => grouped(turns),
            Some(key) => self.keyed(turns, key, marks.sensitive, range)?,
        };
        let result = if marks.unknown { ExprValue::unknown(Type::Any) } else { result };
        Ok(result.with_sensitivity_of(marks.sensitive).with_secret_keys_of(marks.secret_keys))
    }

    /// Evaluates the condition once for no item in particular, which finds what is wrong with it for all of them.
    /// Tells whether it is sensitive.
    fn condition_in_general(&self, for_expr: &ForExpr, names: Names<'_>) -> Outcome<bool> {
        let Some(condition) = &for_expr.cond else { return Ok(false) };
        let any = || ExprValue::unknown(Type::Any);
        self.bound(names, any(), any(), |inner| Ok(inner.condition(&condition.expr)?.is_sensitive()))
    }

    /// Evaluates what a `for` goes through.
    pub(super) fn iteration(&self, collection: &Expression) -> Outcome<Iteration> {
        let value = self.value(collection)?;
        let items = match value.kind() {
            Kind::List(items) | Kind::Tuple(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(idx, item)| (ExprValue::number(idx as u64), item.clone()))
                    .collect(),
            ),
            Kind::Set(items) => Some(items.iter().map(|item| (item.clone(), item.clone())).collect()),
            Kind::Map(entries) | Kind::Object(entries) => Some(
                entries.iter().map(|(key, value)| (ExprValue::text(key.clone()), value.clone())).collect(),
            ),
            Kind::Unknown(unknown) if !unknown.ty.is_primitive() => None,
            Kind::Unknown(_) | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {
                let range = range_of(collection);
                let summary = "a for expression needs a list, a set, a tuple, a map or an object";
                return Err(self.fault(FOR_COLLECTION, &range, summary).detail(given(&value)).into());
            }
        };
        let is_typed = !matches!(value.kind(), Kind::Unknown(unknown) if unknown.ty == Type::Any);
        let is_set = matches!(value.kind(), Kind::Set(_));
        Ok(Iteration { items, sensitive: value.is_sensitive(), is_typed, is_set })
    }

    /// Runs `body` with the names of a `for` bound.
    pub(super) fn bound<T>(
        &self,
        names: Names<'_>,
        key: ExprValue,
        value: ExprValue,
        body: impl FnOnce(&Evaluator<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let key = Local {
            // An empty name matches nothing.
            name: names.key.unwrap_or_default(),
            value: key,
            outer: self.locals,
        };
        let value = Local { name: names.value, value, outer: Some(&key) };
        body(&Evaluator { scope: self.scope, budget: self.budget, locals: Some(&value) })
    }

    /// Evaluates one turn; `None` when its condition leaves it out.
    fn turn(&self, for_expr: &ForExpr, marks: &mut Marks) -> Outcome<Option<Turn>> {
        if let Some(condition) = &for_expr.cond {
            let condition = match &for_expr.key_expr {
                // That an unknown condition of a list is no boolean is found out once it is known.
                None => self.condition_value(&condition.expr)?,
                Some(_) => self.condition(&condition.expr)?,
            };
            marks.sensitive |= condition.is_sensitive();
            match condition.as_bool() {
                Some(true) => {}
                Some(false) => return Ok(None),
                None => {
                    marks.unknown = true;
                    return Ok(None);
                }
            }
        }
        let key = match &for_expr.key_expr {
            None => None,
            Some(key) => {
                let value = self.value(key)?;
                marks.sensitive |= value.is_sensitive();
                marks.secret_keys |= value.is_sensitive();
                if value.is_unknown() {
                    marks.unknown = true;
                    return Ok(None);
                }
                match self.key(&value, &range_of(key)) {
                    // The result is unknown anyway, and so may be what the key will be told apart from.
                    Err(_) if marks.unknown => return Ok(None),
                    key => Some(key?),
                }
            }
        };
        let value = self.value(&for_expr.value_expr)?;
        Ok(Some(Turn { key, value }))
    }

    fn keyed(
        &self,
        turns: Vec<Turn>,
        key_expr: &Expression,
        sensitive: bool,
        range: &Range<usize>,
    ) -> Outcome {
        let mut entries = BTreeMap::new();
        for Turn { key, value } in turns {
            let Some(key) = key.as_ref().and_then(ExprValue::as_text).cloned() else {
                continue;
            };
            if entries.insert(key.clone(), value).is_some() {
                let summary = if sensitive {
                    "two items of the for expression have the same key".to_owned()
                } else {
                    format!("two items of the for expression have the key {key:?}")
                };
                return Err(self
                    .fault(DUPLICATE_KEY, &range_of(key_expr), summary)
                    .hint("put ... behind the value expression to group values by key")
                    .label(self.span(range), "in this for expression")
                    .into());
            }
        }
        Ok(ExprValue::object(entries))
    }
}

fn grouped(turns: Vec<Turn>) -> ExprValue {
    let mut groups: BTreeMap<Text, Vec<ExprValue>> = BTreeMap::new();
    for Turn { key, value } in turns {
        if let Some(key) = key.as_ref().and_then(ExprValue::as_text) {
            groups.entry(key.clone()).or_default().push(value);
        }
    }
    ExprValue::object(groups.into_iter().map(|(key, values)| (key, ExprValue::tuple(values))))
}
