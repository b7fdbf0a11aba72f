//! Whether two values are equal.

use crate::expr_value::{ExprValue, Items, Kind, Refinement, Unknown, order};
use crate::types::Type;

/// Tells whether two values are equal, `None` when that is known after apply.
///
/// Values of different types are different: a tuple is no list, the text of a number is no number. What is known of
/// an unknown value may be enough to tell that it will be different.
///
/// # Source
/// Documentation of `OpenTofu`, "Arithmetic and Logical Operators", "Equality Operators".
pub(crate) fn equal(a: &ExprValue, b: &ExprValue) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::Unknown(_), Kind::Unknown(_)) => None,
        (Kind::Unknown(unknown), _) => equal_to_unknown(unknown, b),
        (_, Kind::Unknown(unknown)) => equal_to_unknown(unknown, a),
        (Kind::Null, _) | (_, Kind::Null) => Some(a.is_null() && b.is_null()),
        _ => known_equal(a, b),
    }
}

fn equal_to_unknown(unknown: &Unknown, known: &ExprValue) -> Option<bool> {
    let range = unknown.refinement();
    if known.is_null() {
        return range.not_null.then_some(false);
    }
    let ty = known.ty();
    (!conforms(&ty, &unknown.ty) || !includes(range, known)).then_some(false)
}

/// Tells whether a range may include a known value of its type.
fn includes(range: &Refinement, value: &ExprValue) -> bool {
    let length = match value.kind() {
        Kind::String(text) => return text.starts_with(range.prefix.as_str()),
        Kind::Number(number) => {
            let low = range.from.as_ref().is_none_or(|from| match from.inclusive {
                true => *number >= from.number,
                false => *number > from.number,
            });
            let high = range.to.as_ref().is_none_or(|to| match to.inclusive {
                true => *number <= to.number,
                false => *number < to.number,
            });
            return low && high;
        }
        Kind::List(items) | Kind::Set(items) => items.len(),
        Kind::Map(entries) => entries.len(),
        _ => return true,
    };
    range.least <= length && range.most.is_none_or(|most| length <= most)
}

/// Tells whether a type is another one, or would be once what that leaves open is filled in.
fn conforms(ty: &Type, to: &Type) -> bool {
    match (ty, to) {
        (_, Type::Any) => true,
        (Type::List(ty), Type::List(to))
        | (Type::Set(ty), Type::Set(to))
        | (Type::Map(ty), Type::Map(to)) => conforms(ty, to),
        (Type::Tuple(types), Type::Tuple(to)) => {
            types.len() == to.len() && types.iter().zip(to.iter()).all(|(ty, to)| conforms(ty, to))
        }
        (Type::Object(object), Type::Object(to)) => {
            object.iter().len() == to.iter().len()
                && object
                    .iter()
                    .zip(to.iter())
                    .all(|((name, ty), (to_name, to))| name == to_name && conforms(&ty.ty, &to.ty))
        }
        (ty, to) => ty == to,
    }
}

/// Compares two values that are themselves known and not null.
fn known_equal(a: &ExprValue, b: &ExprValue) -> Option<bool> {
    if a.as_items().is_none() && a.as_entries().is_none() {
        return Some(order(a, b).is_eq());
    }
    let (a_type, b_type) = (a.ty(), b.ty());
    if holds_untyped(a) || holds_untyped(b) {
        return (!conforms(&a_type, &b_type) && !conforms(&b_type, &a_type)).then_some(false);
    }
    if a_type != b_type {
        return Some(false);
    }
    same_type_equal(a, b)
}

/// Compares two values of one type.
fn same_type_equal(a: &ExprValue, b: &ExprValue) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::List(a), Kind::List(b)) | (Kind::Tuple(a), Kind::Tuple(b)) => items_equal(a, b),
        (Kind::Map(a), Kind::Map(b)) | (Kind::Object(a), Kind::Object(b)) => {
            if a.len() != b.len() || !a.keys().eq(b.keys()) {
                return Some(false);
            }
            all_equal(a.values().zip(b.values()))
        }
        (Kind::Unknown(_) | Kind::Null, _) | (_, Kind::Unknown(_) | Kind::Null) => equal(a, b),
        _ => Some(order(a, b).is_eq()),
    }
}

fn items_equal(a: &Items, b: &Items) -> Option<bool> {
    if a.len() == b.len() { all_equal(a.iter().zip(b.iter())) } else { Some(false) }
}

/// Compares pair by pair. The first pair that is different, or cannot be told yet, decides.
fn all_equal<'a>(mut pairs: impl Iterator<Item = (&'a ExprValue, &'a ExprValue)>) -> Option<bool> {
    pairs
        .find_map(|(a, b)| match same_type_equal(a, b) {
            Some(true) => None,
            decided => Some(decided),
        })
        .unwrap_or(Some(true))
}

/// Tells whether a value holds one whose type is not known.
fn holds_untyped(value: &ExprValue) -> bool {
    match value.kind() {
        _ if value.is_wholly_known() => false,
        Kind::Unknown(unknown) => unknown.ty == Type::Any,
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => items.iter().any(holds_untyped),
        Kind::Map(entries) | Kind::Object(entries) => entries.values().any(holds_untyped),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => false,
    }
}
