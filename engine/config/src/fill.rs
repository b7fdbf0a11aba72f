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
use engine_core::value::{Text, Value};

use crate::codes::FILL;
use crate::definition::{LoadOptions, OutputValue, facts, outputs};
use crate::expand::{self, ClusterOrder, Expanded, Facts, Frame, Ground, Input, Overlays, Rendering};
use crate::expr_value::ExprValue;
use crate::generate::Generated;
use crate::hints;
use crate::module::Module;
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
    graph: Arc<ResourceGraph>,
    outputs: BTreeMap<Text, OutputValue>,
}

impl Filler {
    fn evaluate(&self, reads: &BTreeMap<Address, Value>) -> Result<Evaluated, Diagnostics> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(evaluated) = last.as_ref().filter(|evaluated| evaluated.reads == *reads) {
            return Ok(evaluated.clone());
        }
        let evaluated = self.walk(reads, |_, expanded, _| {
            let outputs = outputs(&self.module, &expanded)?;
            Ok(Evaluated { reads: reads.clone(), graph: Arc::new(expanded.builder.build()?), outputs })
        })?;
        *last = Some(evaluated.clone());
        Ok(evaluated)
    }

    /// Evaluates the definition and hands over what there is then, and what the names of the root module stand for.
    pub(crate) fn walk<R>(
        &self,
        reads: &BTreeMap<Address, Value>,
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
            generated: Some(&self.generated),
        };
        let inputs = (self.inputs.clone(), Diagnostics::default());
        let (expanded, root) = expand::expand_root(&ground, &self.module, inputs, &self.order);
        if expanded.faults.has_errors() {
            return Err(hints::complete(expanded.faults).sorted());
        }
        then(&facts, expanded, &root)
    }
}

impl Resolver for Filler {
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
