//! Values of the language: plain data plus types, unknowns and the sensitive mark.

mod collection;
mod display;
mod plain;
mod refinement;

use std::sync::Arc;

use engine_core::value::{Number, Text};
use unicode_normalization::UnicodeNormalization;

pub(crate) use self::collection::order;
pub use self::collection::{Entries, Items};
pub use self::plain::Plain;
pub(crate) use self::refinement::safe_prefix;
pub use self::refinement::{Bound, Refinement, Unknown};
use crate::types::Type;

/// A value of the language. Cloning is O(1).
///
/// `Debug` and `Display` never print what is sensitive. Equality is structural and takes the sensitive mark
/// into account; the `==` of the language lives in [`crate::eval`].
#[derive(Clone)]
pub struct ExprValue {
    kind: Kind,
    sensitive: bool,
    ephemeral: bool,
    /// Of a map or object that is sensitive: whether that is for one of its keys.
    secret_keys: bool,
    /// The type of a null, as far as it has one.
    null_type: Option<Arc<Type>>,
}

/// The type of a null takes no part: nulls of all types are the same null.
impl PartialEq for ExprValue {
    fn eq(&self, other: &Self) -> bool {
        self.sensitive == other.sensitive && self.ephemeral == other.ephemeral && self.kind == other.kind
    }
}

impl Eq for ExprValue {}

/// What a value is. Whether it is sensitive is asked of the [`ExprValue`] around it.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// `null`. Its type, where it has one, is asked of the [`ExprValue`] around it.
    Null,
    /// A boolean.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// Unicode text.
    String(Text),
    /// Items of one type, in order.
    List(Arc<Items>),
    /// Items of any types, in order: what `[…]` builds.
    Tuple(Arc<Items>),
    /// Different items of one type, in the order of their values. Never holds unknown or sensitive items.
    Set(Arc<Items>),
    /// Values of one type by key.
    Map(Arc<Entries>),
    /// Values of any types by attribute name: what `{…}` builds.
    Object(Arc<Entries>),
    /// A value that is known after apply.
    Unknown(Unknown),
}

impl ExprValue {
    /// `null` as it is written: of no type yet.
    pub const NULL: Self = Self::of(Kind::Null);

    const fn of(kind: Kind) -> Self {
        Self { kind, sensitive: false, ephemeral: false, secret_keys: false, null_type: None }
    }

    /// Builds the `null` of a type.
    pub fn null(ty: Type) -> Self {
        let null_type = (ty != Type::Any).then(|| Arc::new(ty));
        Self { null_type, ..Self::NULL }
    }

    /// Builds a boolean.
    pub const fn bool(bool: bool) -> Self {
        Self::of(Kind::Bool(bool))
    }

    /// Builds a number.
    pub fn number(number: impl Into<Number>) -> Self {
        Self::of(Kind::Number(number.into()))
    }

    /// Builds a string in Unicode normalisation form C, as the language keeps all strings it makes.
    ///
    /// # Source
    /// HCL native syntax specification, "Template Expressions" and "Literal Values".
    pub fn string(text: impl AsRef<str>) -> Self {
        Self::text(nfc(text.as_ref()))
    }

    /// Builds a string with exactly these characters: the contents of a file, say.
    pub const fn text(text: Text) -> Self {
        Self::of(Kind::String(text))
    }

    /// Builds a list of items that are of type `element` already.
    pub fn list(element: Type, items: impl IntoIterator<Item = Self>) -> Self {
        Self::of(Kind::List(Arc::new(Items::new(element, items))))
    }

    /// Builds a tuple.
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::of(Kind::Tuple(Arc::new(Items::new(Type::Any, items))))
    }

    /// Builds a set of items that are of type `element` already; equal items count once.
    ///
    /// With an unknown item the whole set is unknown, but for how many items it can have. With a sensitive item the whole
    /// set is sensitive: its order would tell something about the item.
    pub fn set(element: Type, items: impl IntoIterator<Item = Self>) -> Self {
        let items = Items::new(element, items);
        let (sensitive, ephemeral) = (items.contains_sensitive(), items.contains_ephemeral());
        let value = if items.contains_unknown() {
            let length = Refinement::not_null().length(1, Some(items.len()));
            Self::unknown(Type::set(items.element().clone())).refined(length)
        } else {
            Self::of(Kind::Set(Arc::new(items.into_set())))
        };
        value.with_sensitivity_of(sensitive).with_ephemerality_of(ephemeral)
    }

    /// Builds a map of values that are of type `element` already. Of equal keys the last one counts.
    pub fn map(element: Type, entries: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::of(Kind::Map(Arc::new(Entries::new(element, entries))))
    }

    /// Builds an object. Of equal names the last one counts.
    pub fn object(entries: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::of(Kind::Object(Arc::new(Entries::new(Type::Any, entries))))
    }

    /// Builds a value that is known after apply.
    pub const fn unknown(ty: Type) -> Self {
        Self::of(Kind::Unknown(Unknown::new(ty)))
    }

    /// Marks the value as sensitive.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.with_sensitivity_of(true)
    }

    /// Marks the value as ephemeral when `other` is: it must not be kept anywhere. What is ephemeral is sensitive as
    /// well.
    #[must_use]
    pub(crate) fn with_ephemerality_of(mut self, other: bool) -> Self {
        self.ephemeral |= other;
        self
    }

    /// Marks the value as sensitive when `other` is: what is computed from a secret is a secret.
    #[must_use]
    pub(crate) fn with_sensitivity_of(mut self, other: bool) -> Self {
        self.sensitive |= other;
        self
    }

    /// Notes of a map or object that one of its keys is a secret, when `other` says so. It is sensitive then.
    #[must_use]
    pub(crate) fn with_secret_keys_of(mut self, other: bool) -> Self {
        self.secret_keys |= other && self.sensitive && self.as_entries().is_some();
        self
    }

    /// Takes the sensitive mark off this value, not off the values in it.
    #[must_use]
    pub fn without_mark(mut self) -> Self {
        self.sensitive = false;
        self.secret_keys = false;
        self
    }

    /// Takes the sensitive mark off this value and off all values in it.
    #[must_use]
    pub fn without_marks(&self) -> Self {
        if !self.contains_sensitive() {
            return self.clone();
        }
        let kind = match &self.kind {
            Kind::List(items) => Kind::List(Arc::new(items.without_marks())),
            Kind::Tuple(items) => Kind::Tuple(Arc::new(items.without_marks())),
            Kind::Map(entries) => Kind::Map(Arc::new(entries.without_marks())),
            Kind::Object(entries) => Kind::Object(Arc::new(entries.without_marks())),
            kind => kind.clone(),
        };
        Self { kind, null_type: self.null_type.clone(), ..Self::NULL }
    }

    /// Returns the value with null wherever something is ephemeral.
    #[must_use]
    pub(crate) fn ephemeral_as_null(&self) -> Self {
        if self.ephemeral {
            return Self::null(self.ty()).with_sensitivity_of(self.sensitive);
        }
        if !self.contains_ephemeral() {
            return self.clone();
        }
        let items = |items: &Items| {
            let parts = items.iter().map(Self::ephemeral_as_null);
            Arc::new(Items::new(items.element().clone(), parts))
        };
        let entries = |entries: &Entries| {
            let parts = entries.iter().map(|(key, value)| (key.clone(), value.ephemeral_as_null()));
            Arc::new(Entries::new(entries.element().clone(), parts))
        };
        let kind = match &self.kind {
            Kind::List(list) => Kind::List(items(list)),
            Kind::Tuple(tuple) => Kind::Tuple(items(tuple)),
            Kind::Map(map) => Kind::Map(entries(map)),
            Kind::Object(object) => Kind::Object(entries(object)),
            kind => kind.clone(),
        };
        Self { kind, ..self.clone() }
    }

    /// Returns what the value is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Tells whether the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Tells whether the value itself must not be shown: it carries the sensitive mark, or the ephemeral one.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive || self.ephemeral
    }

    /// Tells whether the value itself is a map or object of which a key is a secret.
    pub(crate) fn has_secret_keys(&self) -> bool {
        self.secret_keys
    }

    /// Tells whether the value itself carries the ephemeral mark.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// Tells whether the value or any value in it carries the ephemeral mark. O(1).
    pub fn contains_ephemeral(&self) -> bool {
        self.ephemeral
            || self.as_items().is_some_and(Items::contains_ephemeral)
            || self.as_entries().is_some_and(Entries::contains_ephemeral)
    }

    /// Tells whether the value or any value in it carries the sensitive mark. O(1).
    pub fn contains_sensitive(&self) -> bool {
        self.is_sensitive()
            || self.as_items().is_some_and(Items::contains_sensitive)
            || self.as_entries().is_some_and(Entries::contains_sensitive)
    }

    /// Tells whether the value itself is known after apply.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// Tells whether neither the value nor any value in it is known after apply. O(1).
    pub fn is_wholly_known(&self) -> bool {
        !(self.is_unknown()
            || self.as_items().is_some_and(Items::contains_unknown)
            || self.as_entries().is_some_and(Entries::contains_unknown))
    }

    /// Returns a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    /// Returns a number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(Text::as_str)
    }

    /// Returns the text of a string, cheap to clone.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items of a list, tuple or set.
    pub fn as_items(&self) -> Option<&Items> {
        match &self.kind {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the entries of a map or object.
    pub fn as_entries(&self) -> Option<&Entries> {
        match &self.kind {
            Kind::Map(entries) | Kind::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the value of a key of a map or object, with the sensitive mark of the whole.
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.as_entries()?.get(key)?.clone();
        Some(value.with_sensitivity_of(self.sensitive).with_ephemerality_of(self.ephemeral))
    }

    /// Returns the type. [`Type::Any`] for a `null` of no type.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null => self.null_type.as_deref().cloned().unwrap_or(Type::Any),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(items) => Type::List(Arc::new(items.element().clone())),
            Kind::Set(items) => Type::Set(Arc::new(items.element().clone())),
            Kind::Tuple(items) => {
                let mut types = Vec::with_capacity(items.len());
                for item in items.iter() {
                    types.push(item.ty());
                }
                Type::Tuple(types.into())
            }
            Kind::Map(entries) => Type::Map(Arc::new(entries.element().clone())),
            Kind::Object(entries) => {
                let mut attributes = Vec::with_capacity(entries.len());
                for (name, value) in entries.iter() {
                    attributes.push((name.clone(), value.ty()));
                }
                Type::object(attributes)
            }
            Kind::Unknown(unknown) => unknown.ty.clone(),
        }
    }

    /// Gives what has no type yet, a null or an unknown value, the type of the collection it is put into.
    fn of_type(self, element: &Type) -> Self {
        if *element == Type::Any {
            return self;
        }
        let typed = match &self.kind {
            Kind::Null if self.null_type.is_none() => Self::null(element.clone()),
            Kind::Unknown(unknown) if unknown.ty == Type::Any => Self::unknown(element.clone()),
            _ => return self,
        };
        typed.with_sensitivity_of(self.sensitive).with_ephemerality_of(self.ephemeral)
    }

    /// Returns how deep containers are nested in this value; 0 for scalars. O(1).
    pub(crate) fn depth(&self) -> u32 {
        self.measure().depth
    }

    /// Returns about how many bytes the value takes when shared parts are counted each time. O(1).
    pub(crate) fn weight(&self) -> u64 {
        self.measure().weight
    }

    fn measure(&self) -> collection::Summary {
        match &self.kind {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => items.summary(),
            Kind::Map(entries) | Kind::Object(entries) => entries.summary(),
            Kind::String(text) => collection::Summary::leaf(text.len()),
            _ => collection::Summary::leaf(0),
        }
    }
}

/// Returns text in Unicode normalisation form C.
pub(crate) fn nfc(text: &str) -> Text {
    if text.is_ascii() || unicode_normalization::is_nfc(text) {
        text.into()
    } else {
        text.nfc().collect::<String>().into()
    }
}

impl From<bool> for ExprValue {
    fn from(bool: bool) -> Self {
        Self::bool(bool)
    }
}

impl From<i64> for ExprValue {
    fn from(int: i64) -> Self {
        Self::number(int)
    }
}

impl From<Number> for ExprValue {
    fn from(number: Number) -> Self {
        Self::number(number)
    }
}

impl From<&str> for ExprValue {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

#[cfg(test)]
mod tests;
