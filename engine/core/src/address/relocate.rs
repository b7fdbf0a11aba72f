//! Addresses in other places: inside a module instance, or where a `moved` block puts them.

use super::{Address, Step};

impl Address {
    /// Returns what this address, relative to a module instance, is in the environment; `None` for the root
    /// module.
    #[must_use]
    pub fn inside(&self, module: Option<&Self>) -> Self {
        let Some(module) = module else { return self.clone() };
        let steps = module.steps.iter().chain(self.steps.iter()).cloned().collect();
        Self { steps, object: self.object.clone() }
    }

    /// Returns where a move from `from` to `to` puts this address, `None` when the move does not concern it.
    ///
    /// Without a key on either side a block moves with all its instances; a key on one side means one instance,
    /// and no key on the other then means the instance of a block without `count` and `for_each`. What lies
    /// inside moves along.
    ///
    /// # Source
    /// Terraform, Refactor modules, "Enabling `count` or `for_each` for a resource".
    pub fn relocated(&self, from: &Self, to: &Self) -> Option<Self> {
        if from.object.is_some() || to.object.is_some() {
            return (self == from).then(|| to.clone());
        }
        let (last, outer) = from.steps.split_last()?;
        let (target, target_outer) = to.steps.split_last()?;
        let (own_outer, rest) = self.steps.split_at_checked(outer.len())?;
        let (own, inner) = rest.split_first()?;
        let whole = last.key.is_none() && target.key.is_none();
        let concerned = own_outer == outer
            && own.block_type == last.block_type
            && own.name == last.name
            && (whole || own.key == last.key);
        concerned.then(|| {
            let key = if whole { own.key.clone() } else { target.key.clone() };
            let moved = Step { key, ..target.clone() };
            let steps = target_outer.iter().cloned().chain([moved]).chain(inner.iter().cloned()).collect();
            Self { steps, object: self.object.clone() }
        })
    }
}
