//! What an apply of one manifest would lead to.

use crate::field_path::FieldPath;
use crate::object::Object;
use crate::plan::Tier;
use crate::ports::{Conflict, ProviderError};

/// The predicted outcome for one object that its record does not settle.
pub struct Prediction {
    /// Who predicted.
    pub tier: Tier,
    /// The object as it would be, or why it cannot be.
    pub result: Result<Object, ProviderError>,
    /// Conflicts met without force.
    pub conflicts: Vec<Conflict>,
    /// Fields left out of the request because another manager keeps them.
    pub yielded: Vec<FieldPath>,
    /// Whether the object must be deleted and created again, because a field cannot be changed in place.
    pub immutable: bool,
}
