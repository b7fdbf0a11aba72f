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
    /// Why the server refuses the object as things are, which may be otherwise once other changes of the plan are done.
    pub refusal: Option<ProviderError>,
    /// Why the credentials do not suffice to ask the server, where that is why it was not asked.
    pub forbidden: Option<String>,
}

impl Prediction {
    /// Builds a prediction without conflicts or exceptions.
    pub fn new(tier: Tier, result: Result<Object, ProviderError>, witness: Witness) -> Self {
        Self {
            tier,
            result,
            witness,
            conflicts: Vec::new(),
            force: false,
            exceptions: Exceptions::default(),
            immutable: false,
            refusal: None,
            forbidden: None,
        }
    }
}
