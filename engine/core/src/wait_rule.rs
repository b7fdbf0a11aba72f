//! When objects of a kind are current, as a definition says it.

use crate::object_ref::GroupKind;
use crate::value::Text;

/// The rule of a kind. Where there is one, it takes the place of what is known of the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRule {
    /// The kind, in every version.
    pub kind: GroupKind,
    /// Holds while an object is on its way, whatever else holds.
    pub in_progress: Option<CelExpression>,
    /// Holds when an object cannot converge by itself.
    pub failed: Option<CelExpression>,
    /// Holds when an object has converged.
    pub current: CelExpression,
}

/// An expression in CEL that has been checked: it gives a boolean for an object, which it calls `self`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CelExpression {
    /// The text.
    pub text: Text,
    /// How many loops over collections stand in one another: what it costs grows with the power of this.
    pub loops: u32,
}
