//! Types of the language: what a variable declares and what a conversion aims at.

mod parse;
mod unify;

use std::fmt;
use std::sync::Arc;

use engine_core::value::Text;

pub(crate) use self::parse::read;
pub use self::parse::{TYPE_EXPRESSION, parse};
pub(crate) use self::unify::convertible;
pub use self::unify::unify;
use crate::expr_value::ExprValue;

/// A type. Cloning is O(1).
///
/// # Source
/// Documentation of `OpenTofu`, "Type Constraints".
#[derive(Clone, PartialEq, Eq)]
pub enum Type {
    /// Any type: nothing to convert.
    Any,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `list(T)`.
    List(Arc<Type>),
    /// `set(T)`.
    Set(Arc<Type>),
    /// `map(T)`.
    Map(Arc<Type>),
    /// `tuple([T, …])`.
    Tuple(Arc<[Type]>),
    /// `object({ name = T, … })`.
    Object(Arc<ObjectType>),
}

/// The attributes of an object type, ordered by name.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectType(Vec<(Text, Attribute)>);

/// One attribute of an object type.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// What happens when it is missing.
    pub presence: Presence,
}

/// What happens when an attribute is missing.
#[derive(Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is an error.
    Required,
    /// `optional(T)`: it becomes `null`.
    Optional,
    /// `optional(T, default)`: it becomes this value, which is of the attribute's type. So does `null`.
    Default(ExprValue),
}

impl Type {
    /// Builds an object type whose attributes are all required.
    pub fn object(attributes: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::Object(Arc::new(ObjectType::new(attributes.into_iter().map(|(name, ty)| {
            let presence = Presence::Required;
            (name, Attribute { ty, presence })
        }))))
    }

    /// Builds `list(element)`.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// Builds `set(element)`.
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// Builds `map(element)`.
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// Tells whether the type is that of booleans, numbers or strings.
    pub(crate) fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// Tells whether the type leaves something open.
    pub fn has_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_any(),
            Self::Tuple(elements) => elements.iter().any(Self::has_any),
            Self::Object(object) => object.iter().any(|(_, attribute)| attribute.ty.has_any()),
        }
    }

    /// Returns the type with its article, as a message says it: "a list of string", "an object".
    pub fn friendly(&self) -> String {
        match self {
            Self::Any => "a value".to_owned(),
            Self::List(element) => format!("a list of {}", element.plural()),
            Self::Set(element) => format!("a set of {}", element.plural()),
            Self::Map(element) => format!("a map of {}", element.plural()),
            Self::Tuple(elements) => format!("a tuple of {} elements", elements.len()),
            Self::Object(_) => "an object".to_owned(),
            Self::Bool | Self::Number | Self::String => format!("a {self}"),
        }
    }

    fn plural(&self) -> String {
        match self {
            Self::Any => "any single type".to_owned(),
            Self::List(element) => format!("list of {}", element.plural()),
            Self::Set(element) => format!("set of {}", element.plural()),
            Self::Map(element) => format!("map of {}", element.plural()),
            Self::Tuple(_) => "tuple".to_owned(),
            Self::Object(_) => "object".to_owned(),
            Self::Bool | Self::Number | Self::String => self.to_string(),
        }
    }
}

impl ObjectType {
    /// Builds an object type. Of equal names the last one counts.
    pub fn new(attributes: impl IntoIterator<Item = (Text, Attribute)>) -> Self {
        let mut attributes: Vec<_> = attributes.into_iter().collect();
        attributes.reverse();
        attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
        attributes.dedup_by(|(a, _), (b, _)| a == b);
        Self(attributes)
    }

    /// Returns the attributes in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Attribute)> {
        self.0.iter().map(|(name, attribute)| (name, attribute))
    }

    /// Returns the attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        let idx = self.0.binary_search_by(|(probe, _)| probe.as_str().cmp(name)).ok()?;
        Some(&self.0[idx].1)
    }
}

/// Prints the type as it is written in a `type` argument.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(elements) => {
                f.write_str("tuple([")?;
                for (idx, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if idx > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Self::Object(object) => write!(f, "object({object})"),
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("{}");
        }
        f.write_str("{ ")?;
        for (idx, (name, Attribute { ty, presence })) in self.iter().enumerate() {
            f.write_str(if idx > 0 { ", " } else { "" })?;
            match presence {
                Presence::Required => write!(f, "{name} = {ty}")?,
                Presence::Optional => write!(f, "{name} = optional({ty})")?,
                Presence::Default(default) => write!(f, "{name} = optional({ty}, {default})")?,
            }
        }
        f.write_str(" }")
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
