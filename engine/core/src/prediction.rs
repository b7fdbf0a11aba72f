//! What an apply of one manifest would lead to.

use crate::object::Object;
use crate::plan::{Exceptions, Tier};
use crate::ports::{Conflict, ProviderError, Witness};

/// The predicted outcome for one object that its record does not settle.
pub struct Prediction {
    /// Who predicted.
    pub tier: Tier,
    /// The object as it would be, or why it cannot be.
    pub result: Result<Object, ProviderError>,
    /// Whether the server met an object.
    pub witness: Witness,
    /// Conflicts that the field policies do not resolve.
    pub conflicts: Vec<Conflict>,
    /// Whether fields of other managers are taken.
    pub force: bool,
    /// What is sent in place of what is declared.
    pub exceptions: Exceptions,
    /// Whether the object must be deleted and created again, because a field cannot be changed in place.
    pub immutable: bool,
    /// Why the server could not be asked, for the client tier.
    pub lowered: Option<String>,
}
