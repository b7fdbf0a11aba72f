//! What an apply of one manifest would lead to.

use crate::object::Object;
use crate::plan::{Exceptions, FieldConflict, Terms, Tier};
use crate::ports::{ProviderError, Witness};
use crate::resource::FieldPolicy;

/// The predicted outcome for one object that its record does not settle.
pub struct Prediction {
    /// Who predicted.
    pub tier: Tier,
    /// The object as it would be, or why it cannot be.
    pub result: Result<Object, ProviderError>,
    /// Whether the server met an object.
    pub witness: Witness,
    /// Fields of other managers, and what is done about each.
    pub conflicts: Vec<FieldConflict>,
    /// What is sent in place of what is declared.
    pub exceptions: Exceptions,
    /// Set if the object must be deleted and created again: the fields that cannot be changed in place, as the server
    /// names them.
    pub immutable: Option<Vec<String>>,
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
            exceptions: Exceptions::default(),
            immutable: None,
            refusal: None,
            forbidden: None,
        }
    }
    /// Returns the prediction of an apply on such terms.
    #[must_use]
    pub fn on(self, terms: Terms) -> Self {
        Self { exceptions: terms.exceptions, conflicts: terms.conflicts, ..self }
    }

    /// Returns the conflicts that stop the plan.
    pub fn fatal(&self) -> impl Iterator<Item = &FieldConflict> {
        self.conflicts.iter().filter(|it| it.decision == FieldPolicy::Fail)
    }

    /// Tells whether the server met no field of another manager.
    pub(crate) fn is_uncontested(&self) -> bool {
        self.conflicts.is_empty()
    }
}
