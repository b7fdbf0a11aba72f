//! Checking a definition whose variables need no values.

use std::collections::BTreeMap;

use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::ports::ManifestSource;

use crate::codes::MISSING_VARIABLE;
use crate::definition::{Definition, LoadOptions, load};

/// A definition without faults.
pub enum Valid {
    /// Everything is known but what clusters would tell.
    Whole(Box<Definition>),
    /// Variables have no values; what depends on them is checked as far as it can be.
    Open {
        /// How many they are.
        variables: usize,
    },
}

/// Checks a definition. A variable without a value is unknown, of its type.
///
/// # Errors
/// All faults that can be told apart, in the order of their places.
pub fn validate(options: &LoadOptions, source: &dyn ManifestSource) -> Result<Valid, Diagnostics> {
    let faults = match load(options, source, &BTreeMap::new()) {
        Ok(definition) => return Ok(Valid::Whole(Box::new(definition))),
        Err(faults) => faults,
    };
    let is_missing = |fault: &Diagnostic| fault.code == MISSING_VARIABLE;
    let variables = faults.iter().filter(|fault| is_missing(fault)).count();
    let others: Diagnostics = faults.into_iter().filter(|fault| !is_missing(fault)).collect();
    if others.has_errors() { Err(others) } else { Ok(Valid::Open { variables }) }
}

#[cfg(test)]
mod tests;
