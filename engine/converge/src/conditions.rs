//! Conditions that could not be told when the plan was made.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use engine_core::address::Address;
use engine_core::diagnostic::Diagnostics;
use engine_core::plan::Change;
use engine_core::plan::outcome::Outcome;
use engine_core::resource::Resource;
use engine_core::value::Value;

use crate::execute::Executor;

impl Executor {
    /// Returns what has been read.
    pub(crate) fn reads(&self) -> BTreeMap<Address, Value> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks what must hold before an object is written, or deleted to be written again.
    pub(crate) fn require_before(&self, change: &Change) -> Result<(), Outcome> {
        let resource = self.graph.at(&change.address).filter(|it| *it.object_ref() == change.object_ref);
        let guards = resource.map(|resource| resource.lifecycle.preconditions.as_slice()).unwrap_or_default();
        if guards.is_empty() {
            return Ok(());
        }
        let reads = self.reads();
        let mut guards = guards.iter();
        guards.try_for_each(|guard| {
            self.resolver.require(guard, None, &reads).map_err(|faults| failed(&faults))
        })
    }

    /// Checks what must hold of an object that was written or read.
    pub(crate) fn require_after(&self, resource: &Resource, live: &Value) -> Result<(), Outcome> {
        if !resource.lifecycle.postcondition {
            return Ok(());
        }
        let reads = self.reads();
        let held = self.resolver.require(&resource.address, Some(live), &reads);
        held.map_err(|faults| failed(&faults))
    }
}

/// Turns faults of the definition into the outcome of a change.
pub(crate) fn failed(faults: &Diagnostics) -> Outcome {
    let words = faults.iter().map(|fault| match fault.detail.is_empty() {
        true => fault.summary.clone(),
        false => format!("{}: {}", fault.summary, fault.detail),
    });
    Outcome::Failed(words.collect::<Vec<_>>().join("; "))
}
