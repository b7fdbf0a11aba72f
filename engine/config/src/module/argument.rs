//! The value of an argument: of an expression, or of the nested blocks that stand for it.

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::value::Text;

use super::dynamic::Dynamic;
use super::fields::{Argument, Expr, Name};
use crate::codes::{DUPLICATE, INSTANCES, SENSITIVE};
use crate::convert::convert;
use crate::expr_value::{Entries, ExprValue, Kind};
use crate::types::Type;

/// How many blocks the `dynamic` blocks of one argument may stand for.
const MAX_BLOCKS: usize = 100_000;

/// What names stand for inside `dynamic` blocks, innermost last.
pub(crate) type Bound = Vec<(Text, ExprValue)>;

/// Evaluates the expressions of an argument.
pub(crate) type EvaluateExpr<'e> = &'e mut dyn FnMut(&Expr, &Bound) -> Result<ExprValue, Diagnostics>;

/// Evaluates an argument; `None` when `dynamic` blocks stand for no block at all, as if none had been written. The
/// parser bounds its depth.
pub(crate) fn evaluate_argument(
    argument: &Argument,
    evaluate: EvaluateExpr<'_>,
) -> Result<Option<ExprValue>, Diagnostics> {
    Evaluation { evaluate, bound: Bound::new(), blocks: 0 }.argument(argument)
}

struct Evaluation<'e> {
    evaluate: EvaluateExpr<'e>,
    bound: Bound,
    blocks: usize,
}

/// One block that a `dynamic` block stands for: its labels, `None` if one is not known yet, and its value.
type Generated = (Option<Vec<Text>>, ExprValue);

impl Evaluation<'_> {
    fn argument(&mut self, argument: &Argument) -> Result<Option<ExprValue>, Diagnostics> {
        match argument {
            Argument::Expr(expr) => self.expr(expr).map(Some),
            Argument::Object(entries, _) => {
                let mut values = Vec::with_capacity(entries.len());
                for (Name { text, .. }, entry) in entries {
                    values.extend(self.argument(entry)?.map(|value| (text.clone(), value)));
                }
                Ok(Some(ExprValue::object(values)))
            }
            Argument::Dynamic(dynamic) => self.dynamic(dynamic),
            Argument::Blocks(parts, span) => {
                let mut values = Vec::new();
                for part in parts {
                    values.extend(self.argument(part)?);
                }
                let labelled = parts.iter().all(Argument::is_labelled);
                join(values, labelled, span)
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> Result<ExprValue, Diagnostics> {
        (self.evaluate)(expr, &self.bound)
    }

    fn dynamic(&mut self, dynamic: &Dynamic) -> Result<Option<ExprValue>, Diagnostics> {
        let collection = self.expr(&dynamic.for_each)?;
        let marked = |value: ExprValue| {
            let value = value.with_sensitivity_of(collection.is_sensitive());
            value.with_ephemerality_of(collection.is_ephemeral())
        };
        let unknown = || Some(marked(ExprValue::unknown(Type::Any)));
        if collection.is_unknown() {
            return Ok(unknown());
        }
        let mut blocks = Vec::new();
        for (key, value) in items(&collection, dynamic)? {
            self.spend(dynamic)?;
            let item = ExprValue::object([("key".into(), key), ("value".into(), marked(value))]);
            self.bound.push((dynamic.iterator.clone(), item));
            let block = self.block(dynamic);
            self.bound.pop();
            match block? {
                (None, _) => return Ok(unknown()),
                (Some(labels), value) => blocks.push(nested(labels, value)),
            }
        }
        let joined = join(blocks, !dynamic.labels.is_empty(), &dynamic.span())?;
        Ok(joined.map(marked))
    }

    fn block(&mut self, dynamic: &Dynamic) -> Result<Generated, Diagnostics> {
        let mut labels = Some(Vec::with_capacity(dynamic.labels.len()));
        for expr in &dynamic.labels {
            let label = label(&self.expr(expr)?, expr)?;
            labels = labels.zip(label).map(|(mut labels, label)| {
                labels.push(label);
                labels
            });
        }
        Ok((labels, self.argument(&dynamic.content)?.unwrap_or(ExprValue::NULL)))
    }

    fn spend(&mut self, dynamic: &Dynamic) -> Result<(), Diagnostics> {
        self.blocks += 1;
        if self.blocks <= MAX_BLOCKS {
            return Ok(());
        }
        let summary = format!("dynamic blocks stand for more than {MAX_BLOCKS} blocks");
        Err(Diagnostic::error(INSTANCES, summary)
            .at(dynamic.for_each.span())
            .hint("give for_each a smaller collection")
            .into())
    }
}

/// Returns key and value of each item: of a list the index, of a set the item itself.
fn items(collection: &ExprValue, dynamic: &Dynamic) -> Result<Vec<(ExprValue, ExprValue)>, Diagnostics> {
    Ok(match collection.kind() {
        Kind::List(items) | Kind::Tuple(items) => {
            let numbered = items.iter().enumerate();
            numbered.map(|(idx, item)| (ExprValue::number(idx as u64), item.clone())).collect()
        }
        Kind::Set(items) => items.iter().map(|item| (item.clone(), item.clone())).collect(),
        Kind::Map(entries) | Kind::Object(entries) => {
            entries.iter().map(|(key, value)| (ExprValue::text(key.clone()), value.clone())).collect()
        }
        _ => {
            let summary =
                format!("for_each of dynamic {:?} must be a map, a list or a set", dynamic.name.text);
            return Err(Diagnostic::error(INSTANCES, summary)
                .detail(format!("The given value is {collection}."))
                .at(dynamic.for_each.span())
                .hint("for no block at all write an empty list: []")
                .into());
        }
    })
}

/// Returns a label; `None` for one that is known after apply.
fn label(value: &ExprValue, expr: &Expr) -> Result<Option<Text>, Diagnostics> {
    if value.is_sensitive() {
        return Err(Diagnostic::error(SENSITIVE, "a label of a dynamic block is sensitive")
            .detail("Labels become keys, which are shown in plans.")
            .at(expr.span())
            .into());
    }
    let text = convert(value, &Type::String).ok().filter(|text| !text.is_null());
    match text {
        Some(text) => Ok(text.as_text().cloned()),
        None => Err(Diagnostic::error(INSTANCES, "a label of a dynamic block must be text")
            .detail(format!("The given value is {value}."))
            .at(expr.span())
            .hint("write `labels = [NAME.key]` with the name of the iterator")
            .into()),
    }
}

/// Returns what a block with labels means: `b "x" { … }` is `b = { x = { … } }`.
fn nested(labels: Vec<Text>, value: ExprValue) -> ExprValue {
    labels.into_iter().rev().fold(value, |value, label| ExprValue::object([(label, value)]))
}

/// Joins what several blocks of one name mean: those with labels are entries of one object, another one stands alone.
fn join(values: Vec<ExprValue>, labelled: bool, span: &SourceSpan) -> Result<Option<ExprValue>, Diagnostics> {
    let count = values.len();
    if count < 2 {
        return Ok(values.into_iter().next());
    }
    if !labelled {
        let summary = format!("{count} blocks without labels stand for one argument");
        return Err(Diagnostic::error(DUPLICATE, summary)
            .at(span.clone())
            .hint("blocks of one name need `labels`; a list is written as `name = [for item in …: { … }]`")
            .into());
    }
    if values.iter().any(ExprValue::is_unknown) {
        return Ok(Some(ExprValue::unknown(Type::Any)));
    }
    let mut all: Vec<(Text, ExprValue)> = Vec::new();
    for value in &values {
        all.extend(
            value.as_entries().into_iter().flat_map(Entries::iter).map(|(k, v)| (k.clone(), v.clone())),
        );
    }
    let joined = ExprValue::object(all.iter().cloned());
    if joined.as_entries().is_some_and(|unique| unique.len() < all.len()) {
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let twice = all.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0.clone());
        let summary = format!("two blocks have the label {:?}", twice.unwrap_or_default());
        return Err(Diagnostic::error(DUPLICATE, summary).at(span.clone()).into());
    }
    Ok(Some(joined))
}
