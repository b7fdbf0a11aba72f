//! Structural types: how the fields of a kind merge under server-side apply.
//!
//! [`of`] gives the type of a built-in kind. Types of custom resources are built by hand with the
//! constructors of [`Type`]. Types may refer to themselves by name; a name is resolved when its
//! [`Shape`] is first asked for.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>

mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use crate::builtin;

/// The types of the built-in kinds, one a line: a name, a space, a type in the notation of [`parse`].
static BUILTIN: &str = include_str!("../builtin.schema");

/// The type of a field or of a whole object. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Type(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Named(&'static str),
    Inline(Arc<Shape>),
}

/// What a value of a type may be: a scalar, a list, a map, or several of these where the value itself
/// decides. At least one is given.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Set when a scalar is allowed.
    pub scalar: Option<Scalar>,
    /// Set when a list is allowed.
    pub list: Option<ListType>,
    /// Set when a map is allowed.
    pub map: Option<MapType>,
}

/// Which scalars a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Strings only.
    String,
    /// Numbers only.
    Numeric,
    /// Booleans only.
    Boolean,
    /// Any scalar: quantities, times, `IntOrString`.
    Untyped,
}

/// A list and the way its elements are told apart.
#[derive(Clone, Debug)]
pub struct ListType {
    /// Type of each element.
    pub element: Type,
    /// How elements of two lists are matched.
    pub relation: ListRelation,
    /// Whether every stored object has the list, be it null: the `containers` of a pod. As with
    /// [`Field::always`], creating an object does not make its writer the owner of the list itself.
    pub always: bool,
}

/// How two lists merge (`x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListRelation {
    /// The list is one value.
    Atomic,
    /// Elements are scalars, each at most once.
    Set,
    /// Elements are maps told apart by these keys, sorted by name.
    Map(Vec<ListKey>),
}

/// A key of a map-like list (`x-kubernetes-list-map-keys`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListKey {
    /// Name of the field in each element.
    pub name: Box<str>,
    /// Value of the key in an element that leaves it out, such as `TCP` for a port's `protocol`.
    pub default: Option<KeyDefault>,
}

/// The default of a list key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyDefault {
    /// A string.
    String(Box<str>),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

/// A map: declared fields, further entries of one type, or both.
#[derive(Clone, Debug, Default)]
pub struct MapType {
    /// Declared fields by name.
    pub fields: BTreeMap<Box<str>, Field>,
    /// Type of entries that are not declared fields; `None` means there may be none.
    pub element: Option<Type>,
    /// How two maps merge.
    pub relation: MapRelation,
}

/// A declared field of a map.
#[derive(Clone, Debug)]
pub struct Field {
    /// Type of the field.
    pub ty: Type,
    /// Whether every stored object has the field, be it empty: `spec` and `metadata` of built-in kinds.
    /// Creating an object does not make its writer the owner of such a field itself.
    pub always: bool,
}

/// How two maps merge (`x-kubernetes-map-type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapRelation {
    /// Entry by entry (`granular`).
    #[default]
    Separable,
    /// The map is one value.
    Atomic,
}

/// Returns the type of a built-in kind, or `None` if Kubernetes 1.36 serves no such kind.
pub fn of(group: &str, version: &str, kind: &str) -> Option<Type> {
    let package = builtin::find(group, version, kind)?.package();
    named(&format!("{package}.{version}.{kind}"))
}

/// Returns the type of `metadata`, for custom resources and embedded resources.
pub fn object_meta() -> Type {
    Type(Repr::Named("meta.v1.ObjectMeta"))
}

impl Type {
    /// A scalar.
    pub fn scalar(scalar: Scalar) -> Self {
        Self::from(Shape { scalar: Some(scalar), ..Shape::default() })
    }

    /// A list of one element type. Keys may come in any order.
    pub fn list(element: Type, mut relation: ListRelation) -> Self {
        if let ListRelation::Map(keys) = &mut relation {
            keys.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Self::from(Shape { list: Some(ListType { element, relation, always: false }), ..Shape::default() })
    }

    /// A map whose entries all have one type.
    pub fn map(element: Type, relation: MapRelation) -> Self {
        Self::from(MapType { element: Some(element), relation, ..MapType::default() })
    }

    /// A map of declared fields only.
    pub fn object<N: Into<Box<str>>>(
        fields: impl IntoIterator<Item = (N, Type)>,
        relation: MapRelation,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, ty)| (name.into(), Field { ty, always: false }));
        Self::from(MapType { fields: fields.collect(), element: None, relation })
    }

    /// Anything: maps merge entry by entry, lists are atomic. For fields without a schema
    /// (`x-kubernetes-preserve-unknown-fields`).
    pub fn deduced() -> Self {
        Type(Repr::Named("?"))
    }

    /// Returns what a value of this type may be.
    ///
    /// # Panics
    /// If the embedded types are malformed, which a test rules out.
    pub fn shape(&self) -> &Shape {
        match &self.0 {
            Repr::Inline(shape) => shape,
            Repr::Named(name) => shape_of(name).expect("the embedded types define every name they use"),
        }
    }

    /// Returns the type of a map's entry: that of the declared field, or else that of its elements.
    pub fn field(&self, name: &str) -> Option<&Type> {
        let map = self.shape().map.as_ref()?;
        map.fields.get(name).map(|field| &field.ty).or(map.element.as_ref())
    }

    /// Returns the type of a list's elements.
    pub fn element(&self) -> Option<&Type> {
        self.shape().list.as_ref().map(|list| &list.element)
    }
}

impl From<Shape> for Type {
    fn from(shape: Shape) -> Self {
        Type(Repr::Inline(Arc::new(shape)))
    }
}

impl From<MapType> for Type {
    fn from(map: MapType) -> Self {
        Self::from(Shape { map: Some(map), ..Shape::default() })
    }
}

/// A line of the embedded types, parsed when first asked for.
struct Line {
    name: &'static str,
    text: &'static str,
    shape: OnceLock<Option<Shape>>,
}

fn named(name: &str) -> Option<Type> {
    lines().get(name).map(|line| Type(Repr::Named(line.name)))
}

fn shape_of(name: &str) -> Option<&'static Shape> {
    let line = lines().get(name)?;
    line.shape.get_or_init(|| parse::shape(line.text)).as_ref()
}

fn lines() -> &'static HashMap<&'static str, Line> {
    static LINES: OnceLock<HashMap<&'static str, Line>> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = BUILTIN.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.split_once(' '))
            .map(|(name, text)| (name, Line { name, text, shape: OnceLock::new() }))
            .collect()
    })
}
