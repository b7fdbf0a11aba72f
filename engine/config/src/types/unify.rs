//! The type that several values can have in common.

use std::sync::Arc;

use super::{ObjectType, Type};

/// Returns the one type that values of all these types convert to without loss, `None` when there is none.
///
/// [`Type::Any`], the type of `null`, goes with every other type. A string goes with numbers and booleans,
/// which become strings; numbers and booleans do not go together. Objects of different attributes become maps,
/// tuples of different lengths become lists.
///
/// # Source
/// Documentation of `OpenTofu`, "Types and Values", "Type Conversion".
pub fn unify<'a>(types: impl IntoIterator<Item = &'a Type>) -> Option<Type> {
    types.into_iter().try_fold(Type::Any, |common, ty| pair(&common, ty))
}

fn pair(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Any, other) | (other, Type::Any) => Some(other.clone()),
        (a, b) if a == b => Some(a.clone()),
        (Type::String, Type::Number | Type::Bool) | (Type::Number | Type::Bool, Type::String) => {
            Some(Type::String)
        }
        (Type::Object(a), Type::Object(b)) if same_names(a, b) => objects(a, b),
        (Type::Object(_) | Type::Map(_), Type::Object(_) | Type::Map(_)) => {
            both(a, b).map(|element| Type::Map(Arc::new(element)))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let elements: Option<Vec<_>> = a.iter().zip(b.iter()).map(|(a, b)| pair(a, b)).collect();
            elements.map(|elements| Type::Tuple(elements.into()))
        }
        (Type::List(_) | Type::Tuple(_), Type::List(_) | Type::Tuple(_)) => {
            both(a, b).map(|element| Type::List(Arc::new(element)))
        }
        (Type::Set(_) | Type::List(_) | Type::Tuple(_), Type::Set(_) | Type::List(_) | Type::Tuple(_)) => {
            both(a, b).map(|element| Type::Set(Arc::new(element)))
        }
        _ => None,
    }
}

fn same_names(a: &ObjectType, b: &ObjectType) -> bool {
    a.iter().map(|(name, _)| name).eq(b.iter().map(|(name, _)| name))
}

fn objects(a: &ObjectType, b: &ObjectType) -> Option<Type> {
    let attributes: Option<Vec<_>> =
        a.iter().zip(b.iter()).map(|((name, a), (_, b))| Some((name.clone(), pair(&a.ty, &b.ty)?))).collect();
    attributes.map(Type::object)
}

/// Returns the type in common of all elements of two containers.
fn both(a: &Type, b: &Type) -> Option<Type> {
    pair(&element(a)?, &element(b)?)
}

fn element(ty: &Type) -> Option<Type> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Some(Type::clone(element)),
        Type::Tuple(elements) => unify(elements.iter()),
        Type::Object(object) => unify(object.iter().map(|(_, attribute)| &attribute.ty)),
        _ => None,
    }
}
