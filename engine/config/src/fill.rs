//! Filling the holes of manifests at apply, when what they wait for has been read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine_core::address::Address;
use engine_core::cluster::Clusters;
use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::graph::ResourceGraph;
use engine_core::manifest::Manifest;
use engine_core::mark::EnvironmentName;
use engine_core::plan::PlannedOutput;
use engine_core::ports::Resolver;
use engine_core::resource::Resource;
use engine_core::value::{Text, Value};

use crate::codes::{CONDITION_OPEN, FILL};
use crate::definition::{LoadOptions, OutputValue, facts, outputs};
use crate::expand::{self, Asked, ClusterOrder, Expanded, Facts, Frame, Ground, Input, Overlays};
use crate::expand::{Rendering, Verdicts, seen};
use crate::expr_value::ExprValue;
use crate::generate::Generated;
use crate::hints;
use crate::module::{Body, Declaration, Module};
use crate::nesting::with_room;
use crate::source::Files;

/// Evaluates a definition again with what has been read meanwhile.
///
/// The definition itself is not read again, and overlays are those that the plan has rendered; the files of
/// `manifests` and those that functions name are.
pub struct Filler {
    pub(crate) module: Arc<Module>,
    pub(crate) inputs: BTreeMap<Text, Input>,
    pub(crate) clusters: Clusters,
    pub(crate) order: ClusterOrder,
    pub(crate) options: LoadOptions,
    /// `cluster` in the root module and in others.
    pub(crate) cluster_values: (BTreeMap<Text, ExprValue>, BTreeMap<Text, ExprValue>),
    pub(crate) environment: EnvironmentName,
    /// What was read before the plan.
    pub(crate) reads: BTreeMap<Address, Value>,
    pub(crate) rendered: Rendering,
    /// The values that this run generates.
    pub(crate) generated: Generated,
    /// The last evaluation: many manifests are filled from the same reads.
    pub(crate) last: Mutex<Option<Evaluated>>,
}

/// The definition as it is with some reads.
#[derive(Clone)]
pub(crate) struct Evaluated {
    reads: BTreeMap<Address, Value>,
    verdicts: Arc<Verdicts>,
    graph: Arc<ResourceGraph>,
    outputs: BTreeMap<Text, OutputValue>,
}

impl Filler {
    fn evaluate(&self, reads: &BTreeMap<Address, Value>) -> Result<Evaluated, Diagnostics> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(evaluated) = last.as_ref().filter(|evaluated| evaluated.reads == *reads) {
            return Ok(evaluated.clone());
        }
        let evaluated = self.evaluate_with(reads, &BTreeMap::new())?;
        *last = Some(evaluated.clone());
        Ok(evaluated)
    }

    /// The same with objects as an apply has left them.
    fn evaluate_with(
        &self,
        reads: &BTreeMap<Address, Value>,
        subjects: &BTreeMap<Address, ExprValue>,
    ) -> Result<Evaluated, Diagnostics> {
        self.walk_about(reads, subjects, |_, expanded, _| {
            let outputs = outputs(&self.module, &expanded)?;
            Ok(Evaluated {
                reads: reads.clone(),
                verdicts: Arc::new(expanded.verdicts),
                graph: Arc::new(expanded.builder.build()?),
                outputs,
            })
        })
    }

    /// Evaluates the definition and hands over what there is then, and what the names of the root module stand for.
    pub(crate) fn walk<R>(
        &self,
        reads: &BTreeMap<Address, Value>,
        then: impl FnOnce(&Facts, Expanded, &Frame<'_>) -> Result<R, Diagnostics>,
    ) -> Result<R, Diagnostics> {
        self.walk_about(reads, &BTreeMap::new(), then)
    }

    fn walk_about<R>(
        &self,
        reads: &BTreeMap<Address, Value>,
        subjects: &BTreeMap<Address, ExprValue>,
        then: impl FnOnce(&Facts, Expanded, &Frame<'_>) -> Result<R, Diagnostics>,
    ) -> Result<R, Diagnostics> {
        let files = Files::open(&self.options.repository)?;
        let mut facts = facts(&self.options, &self.module);
        facts.learn(&self.environment, self.cluster_values.clone());
        let mut all = self.reads.clone();
        all.extend(reads.clone());
        let overlays = Overlays { source: None, rendered: &self.rendered };
        let ground = Ground {
            facts: &facts,
            files: &files,
            overlays: &overlays,
            clusters: &self.clusters,
            reads: &all,
            subjects,
            generated: Some(&self.generated),
        };
        let inputs = (self.inputs.clone(), Diagnostics::default());
        let (expanded, root) = with_room(|| expand::expand_root(&ground, &self.module, inputs, &self.order));
        if expanded.faults.has_errors() {
            return Err(hints::complete(expanded.faults).sorted());
        }
        then(&facts, expanded, &root)
    }

    /// Judges the postconditions of resources by their objects; returns what does not hold or cannot be told.
    ///
    /// # Errors
    /// The definition has errors with what was read.
    pub fn postconditions(
        &self,
        objects: &BTreeMap<Address, Value>,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<BTreeMap<Address, Diagnostics>, Diagnostics> {
        let graph = self.evaluate(reads)?.graph;
        let subjects = objects.iter().filter_map(|(address, object)| {
            let resource = graph.at(address)?;
            let kind = &resource.object_ref().kind;
            let value = seen(object, kind);
            let hidden = resource.manifest().is_some_and(|manifest| !manifest.sensitive().is_empty());
            let value = if hidden && !kind.is("", "Secret") { value.sensitive() } else { value };
            Some((address.clone(), value))
        });
        let verdicts = self.evaluate_with(reads, &subjects.collect())?.verdicts;
        Ok(verdicts.after.clone())
    }

    /// Judges the checks, and the preconditions of outputs, with what has been read.
    ///
    /// # Errors
    /// The definition has errors with what was read.
    pub fn checks(&self, reads: &BTreeMap<Address, Value>, moment: Moment) -> Result<Checks, Diagnostics> {
        if !has_checks(&self.module) {
            return Ok(Checks::default());
        }
        let verdicts = self.evaluate(reads)?.verdicts;
        let may_read = |asked: &&Asked| moment == Moment::Applied || !asked.planned;
        let asked = verdicts.asked.iter().filter(may_read).map(|asked| asked.resource.clone());
        Ok(Checks {
            found: verdicts
                .checks
                .iter()
                .flat_map(|(check, warnings)| warnings.iter().map(|it| (check.clone(), it.clone())))
                .collect(),
            faults: verdicts.outputs.clone(),
            asked: asked.collect(),
        })
    }
}

/// When checks are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before an apply that changes something.
    Planned,
    /// When there is nothing, or nothing more, to do.
    Applied,
}

/// What checks say.
#[derive(Default)]
pub struct Checks {
    /// What is wrong with checks that failed or cannot be judged yet, by the address of the check: `check.well`.
    pub found: Vec<(Address, Diagnostic)>,
    /// Preconditions of outputs that do not hold.
    pub faults: Diagnostics,
    /// Objects that checks ask for. Judge again with them, [`Value::Null`] for one that cannot be had.
    pub asked: Vec<Resource>,
}

impl Checks {
    /// Returns what all checks warn of.
    pub fn warnings(&self) -> Diagnostics {
        self.found.iter().map(|(_, warning)| warning.clone()).collect()
    }
}

/// Tells whether there is anything to judge. Modules do not use themselves, so this ends.
fn has_checks(module: &Module) -> bool {
    let inside = |block: &Declaration| match &block.body {
        Body::Module { module, .. } => has_checks(module),
        _ => false,
    };
    !module.checks.is_empty()
        || module.outputs.values().any(|output| !output.preconditions.is_empty())
        || module.blocks.iter().any(inside)
}

impl Resolver for Filler {
    fn require(
        &self,
        address: &Address,
        live: Option<&Value>,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<(), Diagnostics> {
        let evaluated = self.evaluate(reads)?;
        let Some(live) = live else {
            if evaluated.verdicts.open.contains(address) {
                let summary = format!("a precondition of {address} is still not known");
                return Err(Diagnostic::error(CONDITION_OPEN, summary).about(address.clone()).into());
            }
            return evaluated.verdicts.before.get(address).map_or(Ok(()), |faults| Err(faults.clone()));
        };
        if evaluated.graph.at(address).is_none() {
            // A read: with its answer it has been judged.
            return evaluated.verdicts.after.get(address).map_or(Ok(()), |faults| Err(faults.clone()));
        }
        let objects = BTreeMap::from([(address.clone(), live.clone())]);
        self.postconditions(&objects, reads)?.remove(address).map_or(Ok(()), Err)
    }

    fn outputs(
        &self,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<BTreeMap<Text, PlannedOutput>, Diagnostics> {
        let outputs = self.evaluate(reads)?.outputs;
        Ok(outputs.into_iter().map(|(name, output)| (name, output.value)).collect())
    }

    fn fill(
        &self,
        address: &Address,
        manifest: &Manifest,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<Manifest, Diagnostics> {
        let evaluated = self.evaluate(reads)?;
        let resource = evaluated.graph.at(address);
        let found = resource.and_then(|resource| Some((resource.manifest()?, &resource.span)));
        let fault = |why: &str| {
            Diagnostic::error(FILL, format!("{address} cannot be filled in: {why}"))
                .about(address.clone())
                .hint("plan again")
                .detail(
                    "What is read at apply may fill in values, it never adds, removes or renames objects.",
                )
        };
        let Some((filled, span)) = found else {
            return Err(fault("with what was read it is no longer declared").into());
        };
        if filled.object_ref() != manifest.object_ref() || filled.api_version() != manifest.api_version() {
            let why = format!("it would become {}", filled.object_ref());
            return Err(fault(&why).at(span.clone()).into());
        }
        if !filled.holes().is_empty() {
            let path = &filled.holes()[0].path;
            return Err(fault(&format!("{path} is still not known")).at(span.clone()).into());
        }
        Ok(filled.clone())
    }
}
