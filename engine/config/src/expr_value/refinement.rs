//! What is known of a value that is known after apply.

use std::sync::Arc;

use engine_core::value::{Number, Text};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::{ExprValue, Kind};
use crate::types::Type;

/// A value that is known after apply: its type, and what else is known of it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The type; [`Type::Any`] when not even that is known.
    pub ty: Type,
    refinement: Option<Arc<Refinement>>,
}

/// What is known of a value besides its type. Whatever it tells of the contents holds unless the value is null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refinement {
    /// The value is not null.
    pub not_null: bool,
    /// How the text begins.
    pub prefix: Text,
    /// How many items or entries there are at least.
    pub least: usize,
    /// How many items or entries there are at most.
    pub most: Option<usize>,
    /// The number is not smaller.
    pub from: Option<Bound>,
    /// The number is not greater.
    pub to: Option<Bound>,
}

/// One end of a range of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The end.
    pub number: Number,
    /// Whether the end itself belongs to the range.
    pub inclusive: bool,
}

static NOTHING: Refinement =
    Refinement { not_null: false, prefix: Text::new_inline(""), least: 0, most: None, from: None, to: None };

impl Unknown {
    pub(super) const fn new(ty: Type) -> Self {
        Self { ty, refinement: None }
    }

    /// Returns what is known besides the type.
    pub fn refinement(&self) -> &Refinement {
        self.refinement.as_deref().unwrap_or(&NOTHING)
    }
}

impl Refinement {
    /// The value is not null; nothing else is known.
    pub fn not_null() -> Self {
        Self { not_null: true, ..Self::default() }
    }

    /// The collection has so many items or entries.
    pub(crate) fn length(mut self, least: usize, most: Option<usize>) -> Self {
        (self.least, self.most) = (least, most);
        self
    }

    /// The number is in a range whose ends belong to it.
    pub(crate) fn range(mut self, from: Option<Number>, to: Option<Number>) -> Self {
        let bound = |number| Bound { number, inclusive: true };
        (self.from, self.to) = (from.map(bound), to.map(bound));
        self
    }
}

impl ExprValue {
    /// Adds to what is known of a value that is known after apply. A value about which everything is known now, such as
    /// the list of no items, becomes that value. Other values, and those of unknown type, stay as they are.
    #[must_use]
    pub fn refined(self, refinement: Refinement) -> Self {
        let Kind::Unknown(unknown) = &self.kind else { return self };
        let ty = unknown.ty.clone();
        if ty == Type::Any || refinement == NOTHING {
            return self;
        }
        let sensitive = self.sensitive;
        let exact = refinement.most.is_some_and(|most| most == refinement.least);
        let value = match &ty {
            Type::List(element) if refinement.not_null && exact && refinement.least < Self::SPELLED_OUT => {
                let item = Self::unknown(Type::clone(element));
                Self::list(Type::clone(element), vec![item; refinement.least])
            }
            Type::Set(element) if refinement.not_null && exact && refinement.least == 0 => {
                Self::set(Type::clone(element), [])
            }
            Type::Map(element) if refinement.not_null && exact && refinement.least == 0 => {
                Self::map(Type::clone(element), [])
            }
            Type::Number if refinement.not_null => match (&refinement.from, &refinement.to) {
                (Some(from), Some(to)) if from == to && from.inclusive => Self::number(from.number.clone()),
                _ => Self::with_refinement(ty, refinement),
            },
            _ => Self::with_refinement(ty, refinement),
        };
        value.with_sensitivity_of(sensitive)
    }

    /// Lists of unknown items that are longer are not spelled out.
    const SPELLED_OUT: usize = 10_000;

    fn with_refinement(ty: Type, refinement: Refinement) -> Self {
        let refinement = Some(Arc::new(refinement));
        Self::of(Kind::Unknown(Unknown { ty, refinement }))
    }

    /// Notes that the value will not be null.
    #[must_use]
    pub fn known_not_null(self) -> Self {
        let refinement = Refinement { not_null: true, ..self.refinement() };
        self.refined(refinement)
    }

    /// Tells whether the value is not, and will not be, null.
    pub fn is_never_null(&self) -> bool {
        match &self.kind {
            Kind::Null => false,
            Kind::Unknown(unknown) => unknown.refinement().not_null,
            _ => true,
        }
    }

    /// Returns what is known of the value, were it unknown: of a list the number of its items, and so on.
    pub(crate) fn refinement(&self) -> Refinement {
        let some = Refinement::not_null();
        match &self.kind {
            Kind::Null => Refinement::default(),
            Kind::Unknown(unknown) => unknown.refinement().clone(),
            Kind::Number(number) => some.range(Some(number.clone()), Some(number.clone())),
            Kind::List(items) | Kind::Set(items) => some.length(items.len(), Some(items.len())),
            Kind::Map(entries) => some.length(entries.len(), Some(entries.len())),
            Kind::String(text) => Refinement { prefix: text.clone(), ..some },
            Kind::Bool(_) | Kind::Tuple(_) | Kind::Object(_) => some,
        }
    }
}

/// Returns as much of a text as stays the same whatever text follows it: what follows may combine with its last
/// characters. At most 128 bytes are worth knowing.
pub(crate) fn safe_prefix(text: &str) -> Text {
    const WORTH: usize = 128;
    /// What separates words combines with nothing.
    const SEPARATORS: &str = "-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'";
    let text: String = text[..text.floor_char_boundary(WORTH)].nfc().collect();
    if text.ends_with(|c| SEPARATORS.contains(c)) {
        return text.into();
    }
    let mut end = text.len();
    for (idx, char) in text.char_indices().rev() {
        end = idx;
        if canonical_combining_class(char) == 0 {
            break;
        }
    }
    text[..end].into()
}
