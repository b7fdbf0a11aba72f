//! Variables from the environment, files and the command line, in the order in which they count.

use std::collections::BTreeMap;
use std::path::Path;

use engine_config::VariableInput;

use crate::args::{Setting, Variables};
use crate::error::CommandError;

/// Prefix of environment variables that set a variable.
const VARIABLE: &str = "TERRANE_VAR_";
/// Environment variables that name a cluster's context: `TERRANE_CLUSTER_<NAME>_CONTEXT`.
const CLUSTER: (&str, &str) = ("TERRANE_CLUSTER_", "_CONTEXT");

/// Collects what sets variables, later ones overruling earlier ones: the environment, the files that are read
/// without being named, then `--var-file` and `--var` as they were given.
pub(super) fn collect(directory: &Path, given: &Variables) -> Result<Vec<VariableInput>, CommandError> {
    let files = engine_config::variable_files(directory).into_iter().map(VariableInput::File);
    let arguments = given.0.iter().map(|setting| match setting {
        Setting::File(path) => Ok(VariableInput::File(path.clone())),
        Setting::Assignment(assignment) => argument(assignment),
    });
    environment().chain(files).map(Ok).chain(arguments).collect()
}

/// A text without `=` may be a secret that lost its name, so it is not repeated.
fn argument(assignment: &str) -> Result<VariableInput, CommandError> {
    match assignment.split_once('=') {
        Some((name, text)) => Ok(VariableInput::Argument { name: name.trim().into(), text: text.into() }),
        None => Err(CommandError::new("an argument --var has no `=`").hint("write --var NAME=VALUE")),
    }
}

fn environment() -> impl Iterator<Item = VariableInput> {
    let set = std::env::vars_os().filter_map(|(name, text)| {
        let name = name.to_str()?.strip_prefix(VARIABLE)?.to_owned();
        Some((name, text.into_string().ok()?))
    });
    let set: BTreeMap<String, String> = set.collect();
    set.into_iter().map(|(name, text)| VariableInput::Environment { name, text })
}

/// Returns the contexts that the environment overrides, by the cluster's name in upper case.
pub(super) fn contexts() -> BTreeMap<String, String> {
    let all = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.to_str()?.strip_prefix(CLUSTER.0)?.strip_suffix(CLUSTER.1)?.to_owned();
        Some((name, value.into_string().ok()?))
    });
    all.collect()
}
