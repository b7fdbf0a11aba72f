//! What is known of the result of a call before its arguments are.

use engine_core::value::Number;

use crate::convert::specific;
use crate::expr_value::{ExprValue, Kind, Refinement, safe_prefix};
use crate::types::{Type, unify};

/// The functions whose result may be null though no argument is.
const MAY_BE_NULL: &[&str] = &[
    "can",
    "convert",
    "element",
    "issensitive",
    "jsondecode",
    "lookup",
    "nonsensitive",
    "one",
    "sensitive",
    "tobool",
    "tolist",
    "tomap",
    "tonumber",
    "toset",
    "tostring",
    "try",
    "yamldecode",
];

/// Tells whether a function can take a value of this type, so that one of the wrong type is a fault before all is known.
pub(super) fn takes(function: &str, ty: &Type) -> bool {
    let list = matches!(ty, Type::Any | Type::List(_) | Type::Tuple(_));
    match function {
        "element" | "slice" => list,
        "one" | "reverse" => list || matches!(ty, Type::Set(_)),
        "keys" | "lookup" | "merge" | "values" => matches!(ty, Type::Any | Type::Map(_) | Type::Object(_)),
        _ => true,
    }
}

/// Adds to an unknown result what the arguments tell of it.
pub(super) fn known(function: &str, arguments: &[ExprValue], result: ExprValue) -> ExprValue {
    let Kind::Unknown(unknown) = result.kind() else { return result };
    let result = match unknown.ty.has_any().then(|| type_of(function, arguments)).flatten() {
        Some(ty) => ExprValue::unknown(ty).with_sensitivity_of(result.is_sensitive()),
        None => result,
    };
    if MAY_BE_NULL.contains(&function) {
        return result;
    }
    let known = match (function, arguments) {
        ("format", [format, ..]) => {
            let prefix = format.as_str().and_then(|text| text.split('%').next()).unwrap_or_default();
            Refinement { prefix: safe_prefix(prefix), ..Refinement::not_null() }
        }
        ("length", [value]) => length(value),
        _ => Refinement::not_null(),
    };
    result.refined(known)
}

/// Returns what is known of the length of a value.
fn length(value: &ExprValue) -> Refinement {
    if !matches!(value.ty(), Type::List(_) | Type::Set(_) | Type::Map(_)) {
        return Refinement::not_null();
    }
    let known = value.refinement();
    let number = |count: usize| Some(Number::from(count as u64));
    Refinement::not_null().range(number(known.least), number(known.most.unwrap_or(isize::MAX.unsigned_abs())))
}

/// Returns the type of the result where it follows from the types of the arguments.
fn type_of(function: &str, arguments: &[ExprValue]) -> Option<Type> {
    let types: Vec<_> = arguments.iter().map(ExprValue::ty).collect();
    match (function, types.as_slice()) {
        ("values", [Type::Object(object)]) => {
            Some(Type::Tuple(object.iter().map(|(_, attribute)| attribute.ty.clone()).collect()))
        }
        ("reverse", [Type::Tuple(items)]) => Some(Type::Tuple(items.iter().rev().cloned().collect())),
        ("values", [Type::Map(item)]) | ("reverse", [Type::List(item) | Type::Set(item)]) => {
            Some(Type::List(item.clone()))
        }
        ("distinct", [ty]) => Some(specific(ty, &Type::list(Type::Any))),
        ("slice", [list @ Type::List(_), ..]) => Some(list.clone()),
        ("element", [Type::List(item), _]) | ("lookup", [Type::Map(item), ..]) => Some(Type::clone(item)),
        ("element", [Type::Tuple(items), _]) => {
            let idx = arguments[1].as_number()?.as_i64()?;
            let idx = usize::try_from(idx.checked_rem_euclid(i64::try_from(items.len()).ok()?)?).ok()?;
            items.get(idx).cloned()
        }
        ("chunklist", [list @ Type::List(_), _]) => Some(Type::list(list.clone())),
        ("concat", types) if types.iter().all(|ty| matches!(ty, Type::List(_))) => unify(types),
        ("concat", types) => concatenated(arguments, types),
        ("merge", [first @ Type::Map(_), rest @ ..]) if rest.iter().all(|ty| ty == first) => {
            Some(first.clone())
        }
        ("merge", types) => merged(arguments, types),
        ("zipmap", [_, Type::List(item)]) => Some(Type::Map(item.clone())),
        _ => None,
    }
}

/// Returns the tuple type of lists and tuples one after the other; of lists the number of items must be known.
fn concatenated(arguments: &[ExprValue], types: &[Type]) -> Option<Type> {
    let mut items = Vec::new();
    for (argument, ty) in arguments.iter().zip(types) {
        match ty {
            Type::Tuple(types) => items.extend(types.iter().cloned()),
            Type::List(item) => {
                let count = argument.as_items()?.len();
                items.extend(std::iter::repeat_n(Type::clone(item), count));
            }
            _ => return None,
        }
    }
    Some(Type::Tuple(items.into()))
}

/// Returns the object type of several objects, of equal attributes the last; of maps the keys must be known.
fn merged(arguments: &[ExprValue], types: &[Type]) -> Option<Type> {
    let mut attributes = Vec::new();
    for (argument, ty) in arguments.iter().zip(types) {
        match ty {
            Type::Object(object) => {
                attributes
                    .extend(object.iter().map(|(name, attribute)| (name.clone(), attribute.ty.clone())));
            }
            Type::Map(element) => {
                let keys = argument.as_entries()?.keys();
                attributes.extend(keys.map(|key| (key.clone(), Type::clone(element))));
            }
            _ => return None,
        }
    }
    Some(Type::object(attributes))
}
