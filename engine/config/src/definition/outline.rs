//! What is known of a definition before what it declares is evaluated.

use std::collections::BTreeMap;

use engine_core::address::Address;
use engine_core::cluster::Clusters;
use engine_core::diagnostic::{Diagnostics, Severity};
use engine_core::mark::EnvironmentName;
use engine_core::ports::ManifestSource;
use engine_core::value::{Text, Value};
use engine_core::wait_rule::WaitRule;

use super::{Definition, LoadOptions, expanded, facts};
use crate::environment::{self, StateChoice, Whole};
use crate::expand::{Facts, Frame, Input};
use crate::hints;
use crate::module::{Linker, Module, Remotes};
use crate::nesting::with_room;
use crate::source::Files;
use crate::variables;

/// A definition of which the environment as a whole is known: enough to read its state and to reach its clusters while
/// the rest is loaded.
pub struct Outline {
    pub(super) options: LoadOptions,
    pub(super) files: Files,
    pub(super) module: Module,
    pub(super) inputs: BTreeMap<Text, Input>,
    pub(super) facts: Facts,
    pub(super) whole: Whole,
    pub(super) warnings: Diagnostics,
    /// Such faults as let the definition be evaluated.
    pub(super) faults: Diagnostics,
}

impl Outline {
    /// Returns the environment's name.
    pub fn environment(&self) -> &EnvironmentName {
        &self.whole.name
    }

    /// Returns where the state is kept.
    pub fn state(&self) -> &StateChoice {
        &self.whole.state
    }

    /// Returns the clusters.
    pub fn clusters(&self) -> &Clusters {
        &self.whole.clusters
    }

    /// Returns when objects of some kinds are current.
    pub fn wait_rules(&self) -> &[WaitRule] {
        &self.whole.wait_rules
    }

    /// Loads the rest.
    ///
    /// # Errors
    /// As [`load`](super::load).
    pub fn load(
        self,
        source: &dyn ManifestSource,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<Definition, Diagnostics> {
        with_room(|| expanded(self, source, reads)).map_err(|faults| hints::complete(faults).sorted())
    }
}

/// Loads a definition as far as its environment as a whole.
///
/// # Errors
/// Faults that keep this from being known.
pub fn outline(options: LoadOptions) -> Result<Outline, Diagnostics> {
    with_room(|| unsorted(options)).map_err(|faults| hints::complete(faults).sorted())
}

fn unsorted(options: LoadOptions) -> Result<Outline, Diagnostics> {
    let files = Files::open(&options.repository)?;
    let (module, mut warnings, mut faults) = linked(&options, &files)?;
    let inputs = variables::evaluate(&module, &options.variables, &files, (&mut warnings, &mut faults));
    let mut facts = facts(&options, &module);
    let whole = environment::evaluate(&Frame::root(&module, inputs.clone()), &facts, &options.contexts);
    // What follows from a variable without a value is no fault of its own.
    let whole = whole.map_err(|found| if faults.is_empty() { found } else { faults.clone() })?;
    facts.learn(&whole.name, (whole.by_name.clone(), whole.by_ref.clone()));
    Ok(Outline { options, files, module, inputs, facts, whole, warnings, faults })
}

/// Loads the root module and what it uses; returns it with warnings, and with such faults as let it be evaluated.
fn linked(options: &LoadOptions, files: &Files) -> Result<(Module, Diagnostics, Diagnostics), Diagnostics> {
    let remotes = Remotes::of(&options.directory);
    let (module, found) = Linker::new(files, &remotes).root(&options.directory)?;
    let (warnings, faults) = found.into_iter().partition(|found| found.severity == Severity::Warning);
    Ok((module, warnings, faults))
}
