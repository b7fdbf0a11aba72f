//! Loading an environment definition: the one entry of this crate.

mod outline;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use engine_core::address::Address;
use engine_core::cluster::Clusters;
use engine_core::diagnostic::{Code, Diagnostic, Diagnostics};
use engine_core::digest::Digest;
use engine_core::graph::{GraphBuilder, ResourceGraph};
use engine_core::lock::Renewal;
use engine_core::mark::EnvironmentName;
use engine_core::plan::{AdoptPolicy, PlannedOutput};
use engine_core::ports::ManifestSource;
use engine_core::resource::Resource;
use engine_core::rollout::Rollout;
use engine_core::value::{Text, Value};
use engine_core::wait_rule::WaitRule;
use jiff::Timestamp;

use crate::codes::{EPHEMERAL, SENSITIVE};
use crate::environment::StateChoice;
use crate::expand::{self, Expanded, Facts, Ground, Overlays, Rendering, Verdicts};
use crate::expr_value::ExprValue;
use crate::fill::Filler;
use crate::functions::FunctionContext;
use crate::generate::Generated;
use crate::hints;
use crate::lock::Lock;
use crate::module::{Linker, Module, Remotes};
use crate::module_source::ModuleSource;
use crate::source::Files;
use crate::variables::{self, VariableInput};

pub use self::outline::{Outline, outline};

/// What to load, and with which inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// The directory of the environment.
    pub directory: PathBuf,
    /// The root that all files must lie in: the Git repository, or the directory itself outside of one.
    pub repository: PathBuf,
    /// Values of variables in the order of precedence, the last one counts: environment, files, command line.
    pub variables: Vec<VariableInput>,
    /// The time that `timestamp()` and its like give, the same throughout a run.
    pub clock: Timestamp,
    /// Contexts to use in place of the declared ones, by the part `<NAME>` of `TERRANE_CLUSTER_<NAME>_CONTEXT`.
    pub contexts: BTreeMap<String, String>,
    /// Where the repository comes from, what `repository.url` and `repository.revision` give; `None` outside of
    /// Git or without a remote.
    pub origin: Option<Origin>,
}

/// Where a repository comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The URL of the remote, without credentials.
    pub url: Text,
    /// The branch that is checked out.
    pub revision: Text,
}

/// An output of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputValue {
    /// What may be shown of it.
    pub value: PlannedOutput,
    /// What it is, in the words of the definition.
    pub description: Option<Text>,
}

/// A loaded definition.
pub struct Definition {
    /// The environment's name.
    pub environment: EnvironmentName,
    /// Where the state is kept.
    pub state: StateChoice,
    /// What to do with objects that exist and are nobody's.
    pub adopt: AdoptPolicy,
    /// Findings of feasibility that are known and not to be shown.
    pub accepted: BTreeSet<Code>,
    /// How often a run shows that it is alive.
    pub lock_renewal: Renewal,
    /// The clusters.
    pub clusters: Clusters,
    /// What is declared. While [`Definition::reads`] is not empty, what depends on them may be missing.
    pub graph: Arc<ResourceGraph>,
    /// When objects of some kinds are current.
    pub wait_rules: Vec<WaitRule>,
    /// Objects to read before the plan: they depend on nothing planned. Load again with their values.
    pub reads: Vec<Resource>,
    /// The outputs.
    pub outputs: BTreeMap<Text, OutputValue>,
    /// Warnings.
    pub warnings: Diagnostics,
    /// Conditions that do not hold: errors of every plan of the definition, and nothing to the end of all of it.
    pub broken: Diagnostics,
    /// Every file that the definition rests on, by path relative to the repository, with its SHA-256.
    pub files: BTreeMap<String, Digest>,
    /// The digest of all variables that are not sensitive.
    pub variables: Digest,
    /// Fills holes at apply, and tells the outputs then.
    pub filler: Arc<Filler>,
}

impl Definition {
    /// Returns the clusters in waves.
    pub fn rollouts(&self) -> &[Rollout] {
        &self.filler.order.rollouts
    }
}

/// Loads an environment definition.
///
/// `reads` holds what the reads of [`Definition::reads`] have found, by their addresses; [`Value::Null`] for an
/// object that does not exist.
///
/// # Errors
/// All faults of the definition that can be told apart, in the order of their places.
pub fn load(
    options: &LoadOptions,
    source: &dyn ManifestSource,
    reads: &BTreeMap<Address, Value>,
) -> Result<Definition, Diagnostics> {
    outline(options.clone())?.load(source, reads)
}

/// Returns the modules of other repositories that a definition uses, as far as those that have been fetched tell. Its
/// faults are for [`load`] to report.
///
/// # Errors
/// The repository cannot be opened.
pub fn remote_modules(options: &LoadOptions, lock: &Lock) -> Result<Vec<ModuleSource>, Diagnostics> {
    let files = Files::open(&options.repository)?;
    let remotes = Remotes::locked_by(&options.directory, lock.clone());
    // Whatever is wrong, the sources that were met are known.
    let _faults = Linker::new(&files, &remotes).root(&options.directory).err();
    Ok(remotes.used())
}

// Whole: a step for each line, and each takes what the ones before it gave.
fn expanded(
    outline: Outline,
    source: &dyn ManifestSource,
    reads: &BTreeMap<Address, Value>,
) -> Result<Definition, Diagnostics> {
    let Outline { options, files, module, inputs, facts, whole, mut warnings, faults } = outline;
    let rendered = Rendering::default();
    let ground = Ground {
        facts: &facts,
        files: &files,
        overlays: &Overlays { source: Some(source), rendered: &rendered },
        clusters: &whole.clusters,
        reads,
        subjects: &BTreeMap::new(),
        generated: None,
    };
    let expanded = expand::expand(&ground, &module, (inputs.clone(), faults), &whole.order);
    let outputs = outputs(&module, &expanded);
    let Expanded { builder, pending, mut faults, warnings: found, verdicts, .. } = expanded;
    warnings.extend(found);
    let outputs = outputs.map_err(|found| faults.extend(found)).unwrap_or_default();
    let graph = checked(builder, (&verdicts, pending.is_empty()), faults)?;
    note_functions(&facts, &files);
    let filler = Filler {
        module: Arc::new(module),
        inputs,
        clusters: whole.clusters.clone(),
        order: whole.order,
        options,
        cluster_values: (whole.by_name, whole.by_ref),
        environment: whole.name.clone(),
        reads: reads.clone(),
        rendered,
        generated: Generated::default(),
        last: std::sync::Mutex::default(),
    };
    Ok(Definition {
        environment: whole.name,
        state: whole.state,
        adopt: whole.adopt,
        accepted: whole.accepted,
        lock_renewal: whole.lock_renewal,
        clusters: whole.clusters,
        wait_rules: whole.wait_rules,
        graph: Arc::new(graph),
        reads: pending,
        outputs,
        warnings: hints::complete(warnings).sorted(),
        broken: hints::complete(verdicts.faults()).sorted(),
        files: files.digests(),
        variables: variables::digest(&filler.inputs),
        filler: Arc::new(filler),
    })
}

/// Builds the graph of a definition without faults. Unless something is still to be read, what refers to the graph
/// is checked.
fn checked(
    builder: GraphBuilder,
    (verdicts, is_whole): (&Verdicts, bool),
    mut faults: Diagnostics,
) -> Result<ResourceGraph, Diagnostics> {
    let graph = builder.build().map_err(|found| faults.extend(found)).unwrap_or_default();
    if is_whole && !faults.has_errors() {
        faults.extend(expand::check_refactoring(&graph));
    }
    if !faults.has_errors() {
        return Ok(graph);
    }
    faults.extend(verdicts.faults());
    Err(faults)
}

/// Returns what is the same everywhere in an environment, as far as it is known before the clusters are.
pub(crate) fn facts(options: &LoadOptions, module: &Module) -> Facts {
    let repository = &options.repository;
    let text = |of: fn(&Origin) -> &Text| {
        let origin = options.origin.as_ref();
        origin.map_or(ExprValue::NULL, |origin| ExprValue::string(of(origin)))
    };
    Facts {
        functions: FunctionContext::new(repository).with_clock(options.clock),
        directory: module.directory.clone(),
        terrane: ExprValue::NULL,
        repository: ExprValue::object([
            ("revision".into(), text(|origin| &origin.revision)),
            ("url".into(), text(|origin| &origin.url)),
        ]),
        clusters: BTreeMap::new(),
        cluster_of: BTreeMap::new(),
    }
}

/// Notes the files that functions have read.
fn note_functions(facts: &Facts, files: &Files) {
    for (path, digest) in facts.functions.files_read() {
        if let Ok(digest) = digest.parse() {
            files.note(path.to_string_lossy().into_owned(), digest);
        }
    }
}

/// Returns what may be shown of the outputs.
pub(crate) fn outputs(
    module: &Module,
    expanded: &Expanded,
) -> Result<BTreeMap<Text, OutputValue>, Diagnostics> {
    let mut found = BTreeMap::new();
    let mut faults = Diagnostics::default();
    for (name, output) in &module.outputs {
        let Some(value) = expanded.outputs.get(name) else {
            continue;
        };
        if value.contains_ephemeral() {
            faults.push(
                Diagnostic::error(EPHEMERAL, format!("output {name} holds an ephemeral value"))
                    .detail("Outputs of the environment are kept in the state.")
                    .at(output.value.span())
                    .label(output.span.clone(), "the output"),
            );
        } else if value.contains_sensitive() && !output.marks.sensitive {
            faults.push(
                Diagnostic::error(SENSITIVE, format!("output {name} holds a sensitive value"))
                    .at(output.value.span())
                    .label(output.span.clone(), "the output")
                    .hint("add `sensitive = true` to show that it is meant"),
            );
        }
        let value = match value.to_value() {
            _ if output.marks.sensitive => PlannedOutput::Sensitive,
            Ok(value) => PlannedOutput::Value(value),
            Err(_) => PlannedOutput::Unknown,
        };
        let description = output.description.clone();
        found.insert(name.clone(), OutputValue { value, description });
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

#[cfg(test)]
mod accept;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod dynamic;
#[cfg(test)]
pub(crate) mod harness;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod refactoring;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod rollout;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wait_rules;
