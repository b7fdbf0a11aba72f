//! Functions on sets.

use super::{Call, FunctionError, Row, plain};
use crate::convert::convert;
use crate::expr_value::{ExprValue, Kind, order};
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("setintersection(first: set(any), rest...: set(any)) -> set(any)", "Returns what is in all of the sets.",
        r#"setintersection(["a", "b"], ["b", "c"]) == toset(["b"])"#,
        |call| fold(call, |kept, other| kept.retain(|item| contains(other, item)))),
    plain("setproduct(lists...: any) -> any", "Returns all combinations of one item of each collection.",
        r#"setproduct(["a"], [1, 2]) == tolist([["a", 1], ["a", 2]])"#, product),
    plain("setsubtract(from: set(any), items: set(any)) -> set(any)", "Returns the first set without the items of the second.",
        r#"setsubtract(["a", "b"], ["b"]) == toset(["a"])"#,
        |call| fold(call, |kept, other| kept.retain(|item| !contains(other, item)))),
    plain("setunion(first: set(any), rest...: set(any)) -> set(any)", "Returns what is in any of the sets.",
        r#"setunion(["a"], ["b"]) == toset(["a", "b"])"#,
        |call| fold(call, |kept, other| kept.extend(other.iter().cloned()))),
];

fn contains(sorted: &[ExprValue], item: &ExprValue) -> bool {
    sorted.binary_search_by(|probe| order(probe, item)).is_ok()
}

/// Combines the sets from left to right, all converted to one type first.
fn fold(
    call: &Call<'_>,
    combine: impl Fn(&mut Vec<ExprValue>, &[ExprValue]),
) -> Result<ExprValue, FunctionError> {
    let list = Type::list(Type::Any);
    let sets = ExprValue::tuple(call.arguments.iter().cloned());
    let sets = convert(&sets, &list).map_err(|_| FunctionError::failed("the sets have no type in common"))?;
    let sets = sets.as_items().map(|items| items.to_vec()).unwrap_or_default();
    let mut sets = sets.iter().filter_map(ExprValue::as_items);
    let Some(first) = sets.next() else {
        return Err(FunctionError::Count("at least 1 argument required".to_owned()));
    };
    let mut kept = first.to_vec();
    for other in sets {
        combine(&mut kept, other);
    }
    Ok(ExprValue::set(first.element().clone(), kept))
}

fn product(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    if call.arguments.len() < 2 {
        return Err(FunctionError::Count("setproduct: at least 2 arguments required".to_owned()));
    }
    let mut rows: Vec<Vec<ExprValue>> = vec![Vec::new()];
    let mut all_sets = true;
    for idx in 0..call.arguments.len() {
        let items = call.items(idx)?;
        all_sets &= matches!(call.value(idx)?.kind(), Kind::Set(_));
        let cells = (rows.len() as u64).saturating_mul(items.len() as u64);
        call.budget.steps(cells.saturating_mul(idx as u64 + 1))?;
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    let rows = ExprValue::tuple(rows.into_iter().map(ExprValue::tuple));
    let ty = if all_sets { Type::set(Type::Any) } else { Type::list(Type::Any) };
    convert(&rows, &ty).map_err(|error| FunctionError::failed(error.to_string()))
}
