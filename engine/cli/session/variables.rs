//! Variables from the environment, files and the command line, in the order in which they count.

use std::collections::BTreeMap;
use std::path::Path;

use engine_config::VariableInput;

use crate::args::Variables;
use crate::error::CommandError;

/// Prefix of environment variables that set a variable.
const VARIABLE: &str = "TERRANE_VAR_";
/// Environment variables that name a cluster's context: `TERRANE_CLUSTER_<NAME>_CONTEXT`.
const CLUSTER: (&str, &str) = ("TERRANE_CLUSTER_", "_CONTEXT");

/// Collects what sets variables, later ones overruling earlier ones: the environment, the files that are read
/// without being named, then `--var-file` and `--var`.
pub(super) fn collect(directory: &Path, given: &Variables) -> Result<Vec<VariableInput>, CommandError> {
    let named = given.files.iter().cloned();
    let files = engine_config::variable_files(directory).into_iter().chain(named).map(VariableInput::File);
    let arguments = given.assignments.iter().map(|assignment| match assignment.split_once('=') {
        Some((name, text)) => Ok(VariableInput::Argument { name: name.trim().into(), text: text.into() }),
        None => {
            let fault = CommandError::new(format!("`--var {assignment}` has no `=`"));
            Err(fault.hint("write --var NAME=VALUE"))
        }
    });
    environment().chain(files).map(Ok).chain(arguments).collect()
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
