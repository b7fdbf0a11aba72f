//! How outputs change.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanInput;
use crate::plan::{OutputChange, PlannedOutput, Shown};
use crate::state::Output;
use crate::value::Text;

/// Returns the changes of outputs, and those that are known as they will be.
pub(super) fn outputs(input: &PlanInput<'_>) -> (Vec<OutputChange>, BTreeMap<Text, Output>) {
    let known =
        input.outputs.iter().filter_map(|(name, output)| Some((name.clone(), output.clone().known()?)));
    let names = input.state.outputs.keys().chain(input.outputs.keys());
    let names: BTreeSet<&Text> = names.collect();
    let changes = names.into_iter().filter_map(|name| {
        let before = match input.state.outputs.get(name) {
            None => Shown::Absent,
            Some(Output::Value(value)) => Shown::Value(value.clone()),
            Some(Output::Sensitive) => Shown::Sensitive { changed: false },
        };
        let after = match input.outputs.get(name) {
            None => Shown::Absent,
            Some(PlannedOutput::Value(value)) => Shown::Value(value.clone()),
            Some(PlannedOutput::Sensitive) => Shown::Sensitive { changed: false },
            Some(PlannedOutput::Unknown) => Shown::Unknown,
        };
        (before != after).then(|| OutputChange { name: name.clone(), before, after })
    });
    (changes.collect(), known.collect())
}
