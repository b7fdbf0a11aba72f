//! Functions on lists, maps and objects.

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use engine_core::value::{Number, Text};

use super::strings::characters;
use super::{Call, FunctionError, Row, marked, plain};
use crate::convert::convert;
use crate::eval::equal;
use crate::expr_value::{ExprValue, Kind, order};
use crate::types::{Type, unify};

type Outcome = Result<ExprValue, FunctionError>;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    marked("alltrue(list: list(bool)) -> bool", "Tells whether all items are true; so it is for no items.",
        "alltrue([true, true]) && alltrue([])", |call| decide(call, false)),
    marked("anytrue(list: list(bool)) -> bool", "Tells whether an item is true.",
        "anytrue([false, true]) && !anytrue([])", |call| decide(call, true)),
    marked("chunklist(list: list(any), size: number) -> any", "Returns the items in lists of at most this size.",
        r#"chunklist(["a", "b", "c"], 2) == tolist([tolist(["a", "b"]), tolist(["c"])])"#, chunk_list),
    marked("coalesce(values...: any|null) -> any", "Returns the first value that is neither null nor an empty string.",
        r#"coalesce(null, "", "b") == "b""#, coalesce),
    marked("coalescelist(lists...: any|null) -> any", "Returns the first list that is not empty.",
        r#"coalescelist([], ["b"]) == ["b"]"#, coalesce_list),
    plain("compact(list: list(string)) -> list(string)", "Returns the list without null and empty items.",
        r#"compact(["a", "", null, "b"]) == tolist(["a", "b"])"#,
        |call| Ok(ExprValue::strings(call.texts(0)?.into_iter().filter(|text| !text.is_empty())))),
    marked("concat(list: any, lists...: any) -> any", "Returns the items of all lists in one.",
        r#"concat(["a"], ["b", 1]) == ["a", "b", 1]"#, concat),
    plain("contains(list: any, value: any|null) -> bool", "Tells whether the collection has an item equal to the value.",
        r#"contains(["a", "b"], "b")"#, |call| {
            let value = call.value(1)?;
            Ok(call.items(0)?.iter().any(|item| alike(item, value)).into())
        }),
    plain("distinct(list: list(any)) -> list(any)", "Returns the list without items that came before.",
        r#"distinct(["b", "a", "b"]) == tolist(["b", "a"])"#, distinct),
    marked("element(list: any, index: number) -> any",
        "Returns the item at an index that wraps around the list; a negative one counts from the end.",
        r#"element(["a", "b"], 3) == "b""#, element),
    marked("flatten(list: any) -> any", "Returns the list with lists in it replaced by their items.",
        r#"flatten([["a"], [["b"], "c"]]) == ["a", "b", "c"]"#, flatten),
    plain("index(list: any, value: any|null) -> number", "Returns the index of the first item equal to the value.",
        r#"index(["a", "b"], "b") == 1"#, |call| {
            let value = call.value(1)?;
            let found = call.items(0)?.iter().position(|item| alike(item, value));
            let found = found.ok_or_else(|| FunctionError::failed("no item is equal to the value"))?;
            Ok(ExprValue::number(found as u64))
        }),
    marked("keys(map: any) -> any", "Returns the keys in order: a list of those of a map, a tuple of those of an object.",
        r#"keys({ b = 1, a = 2 }) == ["a", "b"]"#, keys),
    marked("length(value: any) -> number", "Returns the number of items, entries or characters; a letter with its accents is one character.",
        r#"length(["a", "b"]) == 2 && length("abc") == 3"#, length),
    marked("lookup(map: any, key: string, default?: any|null) -> any", "Returns the value of the key, or the default.",
        r#"lookup({ a = 1 }, "b", 0) == 0"#, lookup),
    plain("matchkeys(values: list(any), keys: list(any), search: list(any)) -> list(any)",
        "Returns the values whose keys are searched for.",
        r#"matchkeys(["x", "y"], ["a", "b"], ["b"]) == tolist(["y"])"#, match_keys),
    marked("merge(maps...: any|null) -> any", "Returns the entries of all maps; of equal keys the last one counts.",
        r#"merge({ a = 1, b = 1 }, { b = 2 }) == { a = 1, b = 2 }"#, merge),
    marked("one(list: any) -> any", "Returns the only item of the collection, or null when it is empty.",
        r#"one(["a"]) == "a" && one([]) == null"#, one),
    plain("range(numbers...: number) -> list(number)",
        "Returns the numbers from a start (0) up to a limit, by a step (1): range(limit), range(start, limit) or range(start, limit, step).",
        "range(3) == tolist([0, 1, 2]) && range(1, 8, 3) == tolist([1, 4, 7])", range),
    marked("reverse(list: any) -> any", "Returns the items in reverse order.",
        r#"reverse(["a", "b"]) == ["b", "a"]"#, |call| {
            if call.any_unknown() {
                return Ok(lifted(call, Type::Any));
            }
            let items = call.items(0)?.iter().rev().cloned();
            Ok(with_marks(call, same_kind(call.value(0)?, items)))
        }),
    marked("slice(list: any, start: number, end: number) -> any", "Returns the items from start up to, not including, end.",
        r#"slice(["a", "b", "c"], 1, 3) == ["b", "c"]"#, slice),
    plain("sort(list: list(string)) -> list(string)", "Returns the texts in the order of their code points.",
        r#"sort(["b", "a"]) == tolist(["a", "b"])"#, |call| {
            let mut texts = call.texts(0)?;
            if texts.len() < call.items(0)?.len() {
                return Err(FunctionError::argument(0, "an item is null"));
            }
            texts.sort();
            Ok(ExprValue::strings(texts))
        }),
    plain("sum(list: list(number)) -> number", "Returns the sum of the numbers.",
        "sum([0.1, 0.2]) == 0.3", |call| {
            let numbers = call.items(0)?;
            if numbers.iter().any(ExprValue::is_null) {
                return Err(FunctionError::argument(0, "an item is null"));
            }
            let sum = numbers.iter().filter_map(ExprValue::as_number).map(Number::to_decimal).reduce(|a, b| a + b);
            let sum = sum.ok_or_else(|| FunctionError::argument(0, "at least one number is required"))?;
            Ok(ExprValue::number(sum))
        }),
    plain("transpose(map: map(list(string))) -> map(list(string))", "Returns the map from each item to the keys it was listed under.",
        r#"transpose({ a = ["x"], b = ["x"] }) == tomap({ x = tolist(["a", "b"]) })"#, transpose),
    marked("values(map: any) -> any", "Returns the values in the order of their keys.",
        r#"values({ b = 1, a = 2 }) == [2, 1]"#, |call| {
            if call.any_unknown() {
                return Ok(lifted(call, Type::Any));
            }
            let entries = call.entries(0)?;
            let values = entries.values().cloned();
            Ok(with_marks(call, match call.value(0)?.kind() {
                Kind::Map(_) => ExprValue::list(entries.element().clone(), values),
                _ => ExprValue::tuple(values),
            }))
        }),
    marked("zipmap(keys: list(string), values: any) -> any", "Returns the map from each key to the value at the same place.",
        r#"zipmap(["a", "b"], [1, 2]) == { a = 1, b = 2 }"#, zip_map),
];

/// Returns `found` if any item is that, its opposite if none is; null is false.
fn decide(call: &Call<'_>, found: bool) -> Outcome {
    let list = call.value(0)?;
    let sensitive = list.contains_sensitive();
    let items = list.as_items().map(|items| &items[..]).unwrap_or_default();
    let any = items.iter().any(|item| !item.is_unknown() && (item.as_bool() == Some(true)) == found);
    let value = match any {
        true => ExprValue::bool(found),
        false if list.is_wholly_known() => ExprValue::bool(!found),
        false => ExprValue::unknown(Type::Bool),
    };
    Ok(value.with_sensitivity_of(sensitive))
}

/// Tells whether an item counts as a value: equal, or a list where the value was written as a tuple.
fn alike(item: &ExprValue, value: &ExprValue) -> bool {
    equal(item, value) == Some(true)
        || convert(value, &item.ty()).is_ok_and(|value| {
            std::mem::discriminant(item.kind()) == std::mem::discriminant(value.kind())
                && item.as_items().or(value.as_items()).is_some()
                && equal(item, &value) == Some(true)
        })
}

/// Marks a result as sensitive when an argument itself is; marks inside the arguments have moved along.
fn with_marks(call: &Call<'_>, result: ExprValue) -> ExprValue {
    result.with_sensitivity_of(call.any_sensitive())
}

/// Returns the result of a call with an unknown argument.
fn lifted(call: &Call<'_>, ty: Type) -> ExprValue {
    with_marks(call, ExprValue::unknown(ty))
}

/// Builds a list when `like` is a list or set, a tuple otherwise.
fn same_kind(like: &ExprValue, items: impl IntoIterator<Item = ExprValue>) -> ExprValue {
    match like.kind() {
        Kind::List(list) | Kind::Set(list) => ExprValue::list(list.element().clone(), items),
        _ => ExprValue::tuple(items),
    }
}

fn keys(call: &Call<'_>) -> Outcome {
    let map = call.value(0)?;
    let keys = match map.kind() {
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Object(object) => {
                ExprValue::tuple(object.iter().map(|(name, _)| ExprValue::text(name.clone())))
            }
            Type::Map(_) => ExprValue::unknown(Type::list(Type::String)),
            _ => ExprValue::unknown(Type::Any),
        },
        Kind::Object(object) => ExprValue::tuple(object.keys().map(|name| ExprValue::text(name.clone()))),
        _ => ExprValue::strings(call.entries(0)?.keys()),
    };
    Ok(with_marks(call, keys))
}

/// Refuses a set, whose items have no places.
fn ordered(call: &Call<'_>, idx: usize) -> Result<(), FunctionError> {
    match call.value(idx)?.kind() {
        Kind::Set(_) => Err(FunctionError::argument(idx, "a set has no order; use tolist first")),
        _ => Ok(()),
    }
}

fn chunk_list(call: &Call<'_>) -> Outcome {
    if call.any_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    let (items, size) = (call.items(0)?, call.count(1)?);
    let element = items.element().clone();
    // Size 0 means: all in one.
    let size = if size == 0 { items.len().max(1) } else { size };
    let chunks = items.chunks(size).map(|chunk| ExprValue::list(element.clone(), chunk.iter().cloned()));
    Ok(with_marks(call, ExprValue::list(Type::list(element.clone()), chunks)))
}

fn coalesce(call: &Call<'_>) -> Outcome {
    let types: Vec<_> = call.arguments.iter().map(ExprValue::ty).collect();
    let common =
        unify(&types).ok_or_else(|| FunctionError::failed("all arguments must have the same type"))?;
    for value in &call.arguments {
        if value.is_unknown() {
            return Ok(lifted(call, common));
        }
        if value.is_null() || value.as_str() == Some("") {
            continue;
        }
        let value = convert(value, &common).map_err(|error| FunctionError::failed(error.to_string()))?;
        return Ok(with_marks(call, value));
    }
    Err(FunctionError::failed("all arguments are null or empty strings"))
}

fn coalesce_list(call: &Call<'_>) -> Outcome {
    for idx in 0..call.arguments.len() {
        let value = call.value(idx)?;
        if value.is_unknown() {
            return Ok(lifted(call, Type::Any));
        }
        if !value.is_null() && !call.items(idx)?.is_empty() {
            return Ok(with_marks(call, value.clone()));
        }
    }
    Err(FunctionError::failed("all lists are empty"))
}

fn concat(call: &Call<'_>) -> Outcome {
    if call.any_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    let mut items = Vec::new();
    for idx in 0..call.arguments.len() {
        ordered(call, idx)?;
        items.extend(call.items(idx)?.iter().cloned());
    }
    let tuple = ExprValue::tuple(items);
    // Lists of one type, or of types with one in common, stay a list.
    let types: Vec<_> = call.arguments.iter().map(ExprValue::ty).collect();
    let common = types.iter().all(|ty| matches!(ty, Type::List(_))).then(|| unify(&types)).flatten();
    let list = common.and_then(|list| convert(&tuple, &list).ok());
    Ok(with_marks(call, list.unwrap_or(tuple)))
}

fn distinct(call: &Call<'_>) -> Outcome {
    let items = call.items(0)?;
    // Sorted by value and then by place, so that of equal items the first is kept.
    let mut sorted: Vec<_> = items.iter().enumerate().collect();
    sorted.sort_by(|(place_a, a), (place_b, b)| order(a, b).then(place_a.cmp(place_b)));
    sorted.dedup_by(|(_, a), (_, b)| order(a, b).is_eq());
    sorted.sort_by_key(|(place, _)| *place);
    let kept = sorted.into_iter().map(|(_, item)| item.clone());
    Ok(ExprValue::list(items.element().clone(), kept))
}

fn element(call: &Call<'_>) -> Outcome {
    if call.any_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    ordered(call, 0)?;
    let (items, idx) = (call.items(0)?, call.int(1)?);
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = idx.checked_rem_euclid(length).and_then(|place| usize::try_from(place).ok());
    place
        .and_then(|place| items.get(place))
        .map(|item| with_marks(call, item.clone()))
        .ok_or_else(|| FunctionError::argument(0, "the list is empty"))
}

fn flatten(call: &Call<'_>) -> Outcome {
    let mut flat = Vec::new();
    let mut sensitive = call.any_sensitive();
    let mut pending: Vec<ExprValue> = vec![call.value(0)?.clone()];
    if !pending.iter().all(|value| value.is_unknown() || value.as_items().is_some()) {
        return Err(FunctionError::argument(0, "a list, a set or a tuple is required"));
    }
    while let Some(value) = pending.pop() {
        call.budget.step()?;
        match value.kind() {
            // It may turn out to be a list of any length.
            Kind::Unknown(unknown) if may_be_list(&unknown.ty) => return Ok(lifted(call, Type::Any)),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                sensitive |= value.is_sensitive();
                pending.extend(items.iter().rev().cloned());
            }
            _ => flat.push(value),
        }
    }
    Ok(ExprValue::tuple(flat).with_sensitivity_of(sensitive))
}

fn may_be_list(ty: &Type) -> bool {
    matches!(ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

fn length(call: &Call<'_>) -> Outcome {
    let value = call.value(0)?;
    let length = match value.kind() {
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Tuple(elements) => elements.len(),
            Type::Object(object) => object.iter().len(),
            Type::Bool | Type::Number => return Err(no_length()),
            _ => return Ok(lifted(call, Type::Number)),
        },
        Kind::String(text) => characters(text).count(),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => items.len(),
        Kind::Map(entries) | Kind::Object(entries) => entries.len(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => return Err(no_length()),
    };
    Ok(with_marks(call, ExprValue::number(length as u64)))
}

fn no_length() -> FunctionError {
    FunctionError::argument(0, "a collection or a string is required")
}

fn lookup(call: &Call<'_>) -> Outcome {
    if call.value(0)?.is_unknown() || call.value(1)?.is_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    let key = call.text(1)?;
    let entries = call.entries(0)?;
    let found = match (entries.get(key), call.get(2)) {
        (None, Some(default)) if matches!(call.value(0)?.kind(), Kind::Map(_)) => {
            let default = convert(default, entries.element());
            Some(default.map_err(|error| FunctionError::argument(2, format!("invalid default: {error}")))?)
        }
        (found, default) => found.or(default).cloned(),
    };
    found
        .map(|value| with_marks(call, value))
        .ok_or_else(|| FunctionError::failed(format!("there is no key {key:?} and no default")))
}

fn match_keys(call: &Call<'_>) -> Outcome {
    let (values, keys, search) = (call.items(0)?, call.items(1)?, call.items(2)?);
    if values.len() != keys.len() {
        return Err(FunctionError::argument(1, "there must be as many keys as values"));
    }
    let work = (keys.len() as u64).saturating_mul(search.len() as u64);
    call.budget.steps(work)?;
    let found = values
        .iter()
        .zip(keys.iter())
        .filter(|(_, key)| search.iter().any(|wanted| order(wanted, key).is_eq()))
        .map(|(value, _)| value.clone());
    Ok(ExprValue::list(values.element().clone(), found))
}

fn merge(call: &Call<'_>) -> Outcome {
    if call.any_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    let mut merged: Vec<(Text, ExprValue)> = Vec::new();
    for (idx, value) in call.arguments.iter().enumerate() {
        if value.is_null() {
            continue;
        }
        let entries = call.entries(idx)?.iter();
        merged.extend(entries.map(|(key, value)| (key.clone(), value.clone())));
    }
    // Maps of one type stay a map of it.
    let mut types = call.arguments.iter().map(ExprValue::ty);
    let merged = match types.next() {
        Some(Type::Map(element)) if types.all(|ty| ty == Type::Map(element.clone())) => {
            ExprValue::map(Type::clone(&element), merged)
        }
        _ => ExprValue::object(merged),
    };
    Ok(with_marks(call, merged))
}

fn one(call: &Call<'_>) -> Outcome {
    if call.any_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    match &call.items(0)?[..] {
        [] => Ok(with_marks(call, ExprValue::NULL)),
        [item] => Ok(with_marks(call, item.clone())),
        _ => Err(FunctionError::argument(0, "the collection must have at most one item")),
    }
}

fn range(call: &Call<'_>) -> Outcome {
    let zero = Number::from(0_i64);
    let one = Number::from(1_i64);
    let (start, limit, step) = match call.arguments.len() {
        1 => (&zero, call.number(0)?, None),
        2 => (call.number(0)?, call.number(1)?, None),
        3 => (call.number(0)?, call.number(1)?, Some(call.number(2)?)),
        count => {
            let message = format!("range: 1 to 3 arguments required, {count} given");
            return Err(FunctionError::Count(message));
        }
    };
    let minus_one = Number::from(-1_i64);
    let step = step.unwrap_or(if limit < start { &minus_one } else { &one });
    if *step == zero || (*step > zero) != (limit > start) && limit != start {
        return Err(FunctionError::failed("the step must lead from the start to the limit"));
    }
    let (start, limit, step) = (start.to_decimal(), limit.to_decimal(), step.to_decimal());
    let count = ((limit - &start) / &step).with_scale_round(0, RoundingMode::Ceiling);
    let count = count.to_u64().unwrap_or(u64::MAX);
    // Paid for before the first number is made.
    call.budget.steps(count.saturating_mul(4))?;
    let numbers = (0..count).map(|idx| ExprValue::number(&start + &step * BigDecimal::from(idx)));
    Ok(ExprValue::list(Type::Number, numbers))
}

fn slice(call: &Call<'_>) -> Outcome {
    if call.any_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    ordered(call, 0)?;
    let (items, start, end) = (call.items(0)?, call.count(1)?, call.count(2)?);
    let part = items.get(start..end).ok_or_else(|| {
        FunctionError::argument(1, format!("the part must lie within the {} items", items.len()))
    })?;
    Ok(with_marks(call, same_kind(call.value(0)?, part.iter().cloned())))
}

fn transpose(call: &Call<'_>) -> Outcome {
    let mut turned: std::collections::BTreeMap<Text, Vec<Text>> = std::collections::BTreeMap::new();
    for (key, items) in call.entries(0)?.iter() {
        for item in items.as_items().into_iter().flat_map(|items| items.iter()) {
            let item = item.as_text().ok_or_else(|| FunctionError::argument(0, "an item is null"))?;
            turned.entry(item.clone()).or_default().push(key.clone());
        }
    }
    let entries = turned.into_iter().map(|(item, keys)| (item, ExprValue::strings(keys)));
    Ok(ExprValue::map(Type::list(Type::String), entries))
}

fn zip_map(call: &Call<'_>) -> Outcome {
    if call.any_unknown() || call.items(0)?.contains_unknown() {
        return Ok(lifted(call, Type::Any));
    }
    let (keys, values) = (call.items(0)?, call.items(1)?);
    if keys.len() != values.len() {
        return Err(FunctionError::argument(1, "there must be as many values as keys"));
    }
    if keys.iter().any(ExprValue::is_null) {
        return Err(FunctionError::argument(0, "a key is null"));
    }
    let entries = keys.iter().filter_map(ExprValue::as_text).cloned().zip(values.iter().cloned());
    let map = match call.value(1)?.kind() {
        Kind::List(list) => ExprValue::map(list.element().clone(), entries),
        _ => ExprValue::object(entries),
    };
    Ok(with_marks(call, map.with_sensitivity_of(keys.contains_sensitive())))
}
