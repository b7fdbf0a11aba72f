//! Traversals: attributes, indexes and splats.

use std::ops::Range;

use engine_core::diagnostic::Diagnostic;
use engine_core::value::Text;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span};

use super::codes::{ATTRIBUTE, INDEX, NULL_VALUE, SPLAT};
use super::{Evaluator, Outcome, Step, StepKind, did_you_mean, given, range_of};
use crate::convert::convert;
use crate::expr_value::{Entries, ExprValue, Items, Kind};
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
        let plain = operators
            .iter()
            .take_while(|operator| !is_splat(operator))
            .count();
        let (direct, rest) = operators.split_at(plain);
        let steps = self.steps(direct)?;
        let range = range_of(&traversal.expr);
        let whole = steps.last().map_or(range.end, |step| step.range.end);
        let (value, taken) = self.root(name.as_str(), &steps, &(range.start..whole))?;
        let value = steps[taken..]
            .iter()
            .try_fold(value, |value, step| self.go(&value, step))?;
        self.follow(value, rest)
    }

    /// Evaluates the steps of operators that are no splats.
    fn steps(&self, operators: Operators<'_>) -> Outcome<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::with_capacity(operators.len());
        let mut legacy = false;
        for operator in operators {
            let range = operator.span().unwrap_or_default();
            let kind = match operator.value() {
                TraversalOperator::GetAttr(name) => StepKind::Attribute(name.as_str().into()),
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
        let plain = operators
            .iter()
            .take_while(|operator| !is_splat(operator))
            .count();
        let (direct, rest) = operators.split_at(plain);
        let value = self
            .steps(direct)?
            .iter()
            .try_fold(value, |value, step| self.go(&value, step))?;
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
        let sensitive = value.is_sensitive();
        let items: &[ExprValue] = match value.kind() {
            Kind::Null => &[],
            Kind::Unknown(_) => return Ok(ExprValue::unknown(Type::Any).with_sensitivity_of(sensitive)),
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
        Ok(result.with_sensitivity_of(sensitive))
    }

    fn go(&self, value: &ExprValue, step: &Step) -> Outcome {
        let result = match &step.kind {
            StepKind::Attribute(name) => attribute(value, name),
            StepKind::Index(key) => index(value, key),
        };
        result.map_err(|diagnostic| diagnostic.at(self.span(&step.range)).into())
    }
}

fn is_splat(operator: &Decorated<TraversalOperator>) -> bool {
    is_attr_splat(operator) || matches!(operator.value(), TraversalOperator::FullSplat(_))
}

fn is_attr_splat(operator: &Decorated<TraversalOperator>) -> bool {
    matches!(operator.value(), TraversalOperator::AttrSplat(_))
}

fn is_attribute(operator: &Decorated<TraversalOperator>) -> bool {
    matches!(
        operator.value(),
        TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_)
    )
}

/// Builds the list that a splat over a list gives; its results have one type unless they hold nulls of any.
fn as_list(results: Vec<ExprValue>) -> ExprValue {
    let tuple = ExprValue::tuple(results);
    convert(&tuple, &Type::list(Type::Any)).unwrap_or(tuple)
}

/// Returns the attribute of an object, or the value of a map's key. The diagnostic has no span yet.
///
/// # Errors
/// A [`Diagnostic`] when there is no such attribute, or the value has none at all.
pub fn attribute(value: &ExprValue, name: &str) -> Result<ExprValue, Diagnostic> {
    let sensitive = value.is_sensitive();
    let found = match value.kind() {
        Kind::Null => {
            return Err(
                Diagnostic::error(NULL_VALUE, format!("attribute {name:?} of a null value"))
                    .detail("The value is null, so it has no attributes."),
            );
        }
        Kind::Unknown(unknown) => ExprValue::unknown(attribute_type(&unknown.ty, name)?),
        Kind::Map(entries) | Kind::Object(entries) => entry(entries, name, value, sensitive)?,
        _ => return Err(no_attributes(&value.ty(), name)),
    };
    Ok(found.with_sensitivity_of(sensitive))
}

fn attribute_type(ty: &Type, name: &str) -> Result<Type, Diagnostic> {
    match ty {
        Type::Any => Ok(Type::Any),
        Type::Map(element) => Ok(Type::clone(element)),
        Type::Object(object) => object
            .get(name)
            .map(|attribute| attribute.ty.clone())
            .ok_or_else(|| no_such(ATTRIBUTE, name, object.iter().map(|(name, _)| name))),
        ty => Err(no_attributes(ty, name)),
    }
}

fn no_attributes(ty: &Type, name: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(ATTRIBUTE, format!("no attribute {name:?}")).detail(format!(
        "The value is {}, which has no attributes.",
        ty.friendly()
    ));
    match ty {
        Type::List(_) | Type::Tuple(_) | Type::Set(_) => {
            diagnostic.hint(format!("use [*].{name} for the attribute of every item"))
        }
        _ => diagnostic,
    }
}

fn entry(entries: &Entries, name: &str, whole: &ExprValue, sensitive: bool) -> Result<ExprValue, Diagnostic> {
    let code = match whole.kind() {
        Kind::Map(_) => INDEX,
        _ => ATTRIBUTE,
    };
    entries.get(name).cloned().ok_or_else(|| {
        if sensitive {
            // Neither the name nor the names there are may be shown: one of them is a secret.
            Diagnostic::error(code, format!("no such {}", noun(code)))
        } else {
            no_such(code, name, entries.keys())
        }
    })
}

fn noun(code: engine_core::diagnostic::Code) -> &'static str {
    if code == INDEX { "key" } else { "attribute" }
}

fn no_such<'a>(
    code: engine_core::diagnostic::Code,
    name: &str,
    known: impl Iterator<Item = &'a Text>,
) -> Diagnostic {
    /// How many names a message lists.
    const LISTED: usize = 10;
    let known: Vec<_> = known.map(Text::as_str).collect();
    let listed = &known[..known.len().min(LISTED)];
    let more = if known.len() > LISTED { ", …" } else { "" };
    let detail = if listed.is_empty() {
        "The value is empty.".to_owned()
    } else {
        format!("There are: {}{more}.", listed.join(", "))
    };
    let mut diagnostic = Diagnostic::error(code, format!("no {} {name:?}", noun(code))).detail(detail);
    diagnostic.hint = did_you_mean(name, known.iter().copied());
    diagnostic
}

/// Returns the item of a list, or the value of a key. The diagnostic has no span yet.
///
/// # Errors
/// A [`Diagnostic`] when there is no such item or key, or the value cannot be indexed.
pub fn index(value: &ExprValue, key: &ExprValue) -> Result<ExprValue, Diagnostic> {
    let sensitive = value.is_sensitive() || key.is_sensitive();
    if value.is_null() || key.is_null() {
        let what = if value.is_null() { "the value" } else { "the key" };
        return Err(Diagnostic::error(
            NULL_VALUE,
            format!("invalid index: {what} is null"),
        ));
    }
    let found = match value.kind() {
        Kind::List(items) | Kind::Tuple(items) => item(items, key, sensitive)?,
        Kind::Map(entries) | Kind::Object(entries) => {
            let key = key_of(key, &Type::String)?;
            match key.as_str() {
                Some(name) => entry(entries, name, value, sensitive)?,
                None => ExprValue::unknown(entries.element().clone()),
            }
        }
        Kind::Unknown(unknown) => ExprValue::unknown(item_type(&unknown.ty, key)?),
        Kind::Set(_) => {
            return Err(no_index(&value.ty()).hint("a set has no order: use tolist(…) first"));
        }
        _ => return Err(no_index(&value.ty())),
    };
    Ok(found.with_sensitivity_of(sensitive))
}

fn no_index(ty: &Type) -> Diagnostic {
    Diagnostic::error(INDEX, "invalid index").detail(format!(
        "The value is {}, which cannot be indexed.",
        ty.friendly()
    ))
}

/// Converts a key to the type that a collection is indexed with.
fn key_of(key: &ExprValue, ty: &Type) -> Result<ExprValue, Diagnostic> {
    convert(key, ty)
        .map_err(|error| Diagnostic::error(INDEX, format!("invalid index: {error}")).detail(given(key)))
}

fn item(items: &Items, key: &ExprValue, sensitive: bool) -> Result<ExprValue, Diagnostic> {
    let position = key_of(key, &Type::Number)?;
    let Some(number) = position.as_number() else {
        return Ok(ExprValue::unknown(items.element().clone()));
    };
    let idx = number.as_i64().and_then(|idx| usize::try_from(idx).ok());
    idx.and_then(|idx| items.get(idx)).cloned().ok_or_else(|| {
        let detail = match items.len() {
            _ if sensitive => String::new(),
            0 => "The list is empty.".to_owned(),
            len => format!("The index must be a whole number from 0 to {}.", len - 1),
        };
        Diagnostic::error(INDEX, format!("no item {key}")).detail(detail)
    })
}

fn item_type(ty: &Type, key: &ExprValue) -> Result<Type, Diagnostic> {
    match ty {
        Type::Any => Ok(Type::Any),
        Type::List(element) => key_of(key, &Type::Number).map(|_| Type::clone(element)),
        Type::Map(element) => key_of(key, &Type::String).map(|_| Type::clone(element)),
        Type::Tuple(elements) => {
            let key = key_of(key, &Type::Number)?;
            let idx = key.as_number().and_then(engine_core::value::Number::as_i64);
            let element = idx
                .and_then(|idx| usize::try_from(idx).ok())
                .and_then(|idx| elements.get(idx));
            Ok(element.cloned().unwrap_or(Type::Any))
        }
        Type::Object(_) => match key_of(key, &Type::String)?.as_str() {
            Some(name) => attribute_type(ty, name),
            None => Ok(Type::Any),
        },
        ty => Err(no_index(ty)),
    }
}

/// Returns the bytes of an operator, for the caller that keeps ranges only.
pub(super) fn operator_range(operator: &Decorated<TraversalOperator>) -> Range<usize> {
    operator.span().unwrap_or_default()
}
