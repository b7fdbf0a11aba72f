//! The type that several values can have in common, and which types convert to which.

use std::sync::Arc;

use super::{ObjectType, Presence, Type};

/// Returns the one type that values of all these types are converted to, `None` when there is none.
///
/// A string goes with numbers and booleans, which become strings; numbers and booleans do not go together. Objects of
/// different attributes become maps, tuples of different lengths become lists, and so do sets beside lists. A type that
/// is not known yet goes with every scalar type; beside containers it leaves the result open.
///
/// # Source
/// Documentation of `OpenTofu`, "Types and Values", "Type Conversion".
pub fn unify<'a>(types: impl IntoIterator<Item = &'a Type>) -> Option<Type> {
    let types: Vec<_> = types.into_iter().collect();
    let Some(first) = types.first() else { return Some(Type::Any) };
    if types.iter().all(|ty| ty == first) {
        return Some(Type::clone(first));
    }
    if types.iter().any(|ty| is_object(ty)) && types.iter().any(|ty| is_tuple(ty)) {
        return None;
    }
    let open = types.iter().any(|ty| **ty == Type::Any);
    let only = |wanted: fn(&Type) -> bool| types.iter().all(|ty| **ty == Type::Any || wanted(ty));
    match first_container(&types) {
        Some(Type::Object(_)) if only(is_object) => {
            if open {
                Some(Type::Any)
            } else {
                objects(&types)
            }
        }
        Some(Type::Tuple(_)) if only(is_tuple) => {
            if open {
                Some(Type::Any)
            } else {
                tuples(&types)
            }
        }
        Some(Type::List(_)) if only(is_list) => of_elements(&types, open, Type::list),
        Some(Type::Set(_)) if only(is_set) => of_elements(&types, open, Type::set),
        Some(Type::Map(_)) if only(is_map) => of_elements(&types, open, Type::map),
        Some(Type::Map(_) | Type::Object(_)) if only(|ty| is_map(ty) || is_object(ty)) => {
            joined(&types, is_object, Type::map).or_else(|| preferred(&types))
        }
        Some(Type::List(_) | Type::Tuple(_)) if only(|ty| is_list(ty) || is_tuple(ty)) => {
            joined(&types, is_tuple, Type::list).or_else(|| preferred(&types))
        }
        _ => preferred(&types),
    }
}

/// Tells whether some value of type `from` converts to type `to`.
pub(crate) fn convertible(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Any, _)
        | (_, Type::Any)
        | (Type::Bool | Type::Number, Type::String)
        | (Type::String, Type::Bool | Type::Number) => true,
        (from, to) if from == to => true,
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to))
        | (Type::Map(from), Type::Map(to)) => convertible(from, to),
        (Type::Tuple(from), Type::List(to) | Type::Set(to)) => {
            all_convertible(&from.iter().collect::<Vec<_>>(), to)
        }
        (Type::Object(from), Type::Map(to)) => {
            let types: Vec<_> = attribute_types(from).collect();
            if **to == Type::Any { unify(types).is_some() } else { all_convertible(&types, to) }
        }
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| convertible(from, to))
        }
        (Type::Map(from), Type::Object(to)) => to.iter().all(|(_, attribute)| {
            attribute.presence != Presence::Required || convertible(from, &attribute.ty)
        }),
        (Type::Object(from), Type::Object(to)) => to.iter().all(|(name, attribute)| match from.get(name) {
            Some(from) => convertible(&from.ty, &attribute.ty),
            None => attribute.presence != Presence::Required,
        }),
        _ => false,
    }
}

/// Tells whether the items of a tuple convert to the element type of a list or set.
fn all_convertible(from: &[&Type], to: &Type) -> bool {
    if *to != Type::Any {
        return from.iter().all(|from| convertible(from, to));
    }
    match unify(from.iter().copied()) {
        // What is known of some items only is no type for all of them.
        Some(Type::Any) => from.iter().all(|from| **from == Type::Any),
        found => found.is_some(),
    }
}

fn is_object(ty: &Type) -> bool {
    matches!(ty, Type::Object(_))
}

fn is_tuple(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(_))
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_))
}

fn is_set(ty: &Type) -> bool {
    matches!(ty, Type::Set(_))
}

fn is_map(ty: &Type) -> bool {
    matches!(ty, Type::Map(_))
}

fn first_container<'a>(types: &[&'a Type]) -> Option<&'a Type> {
    types.iter().copied().find(|ty| !matches!(ty, Type::Any | Type::Bool | Type::Number | Type::String))
}

fn attribute_types(object: &ObjectType) -> impl Iterator<Item = &Type> {
    object.iter().map(|(_, attribute)| &attribute.ty)
}

/// Returns the collection type of the unified elements of collections of one kind.
fn of_elements(types: &[&Type], open: bool, collection: fn(Type) -> Type) -> Option<Type> {
    if open {
        return Some(Type::Any);
    }
    let elements = types.iter().filter_map(|ty| match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Some(&**element),
        _ => None,
    });
    unify(elements).map(collection)
}

fn objects(types: &[&Type]) -> Option<Type> {
    let types: Vec<_> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Object(object) => Some(&**object),
            _ => None,
        })
        .collect();
    let (first, rest) = types.split_first()?;
    let names = |object: &ObjectType| object.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let same = names(first);
    if rest.iter().any(|object| names(object) != same) {
        return flat(types.iter().flat_map(|object| attribute_types(object)), Type::map);
    }
    let unified = same.into_iter().enumerate().map(|(idx, name)| {
        let attribute = types.iter().filter_map(|object| attribute_types(object).nth(idx));
        Some((name, unify(attribute)?))
    });
    unified.collect::<Option<Vec<_>>>().map(Type::object)
}

fn tuples(types: &[&Type]) -> Option<Type> {
    let types: Vec<_> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Tuple(elements) => Some(elements),
            _ => None,
        })
        .collect();
    let (first, rest) = types.split_first()?;
    if rest.iter().any(|tuple| tuple.len() != first.len()) {
        let list = flat(types.iter().flat_map(|tuple| tuple.iter()), Type::list)?;
        let converts = types.iter().all(|tuple| convertible(&Type::Tuple(Arc::clone(tuple)), &list));
        return converts.then_some(list);
    }
    let unified = (0..first.len()).map(|idx| unify(types.iter().map(|tuple| &tuple[idx])));
    unified.collect::<Option<Arc<[Type]>>>().map(Type::Tuple)
}

/// Returns the collection of the unified types, of which there must be some.
fn flat<'a>(types: impl Iterator<Item = &'a Type>, collection: fn(Type) -> Type) -> Option<Type> {
    let types: Vec<_> = types.collect();
    if types.is_empty() { None } else { unify(types).map(collection) }
}

/// Unifies collections with objects or tuples, once these have become a collection themselves.
fn joined(types: &[&Type], structural: fn(&Type) -> bool, collection: fn(Type) -> Type) -> Option<Type> {
    let elements = types.iter().filter(|ty| structural(ty)).flat_map(|ty| match ty {
        Type::Object(object) => attribute_types(object).collect::<Vec<_>>(),
        Type::Tuple(elements) => elements.iter().collect(),
        _ => Vec::new(),
    });
    let made = flat(elements, collection)?;
    if !types.iter().filter(|ty| structural(ty)).all(|ty| convertible(ty, &made)) {
        return None;
    }
    let types: Vec<_> = types.iter().map(|ty| if structural(ty) { &made } else { *ty }).collect();
    unify(types).filter(|ty| std::mem::discriminant(ty) == std::mem::discriminant(&made))
}

/// Returns that of the types which all others convert to; of several the most general one.
fn preferred(types: &[&Type]) -> Option<Type> {
    let rank = |ty: &Type| match ty {
        Type::String | Type::List(_) | Type::Map(_) => 0,
        Type::Bool | Type::Number | Type::Tuple(_) | Type::Object(_) => 1,
        Type::Set(_) => 2,
        Type::Any => 3,
    };
    let mut candidates = types.to_vec();
    candidates.sort_by_key(|ty| rank(ty));
    candidates.into_iter().find(|to| types.iter().all(|from| convertible(from, to))).cloned()
}
