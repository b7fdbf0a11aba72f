//! What a plan is about: a definition or nothing at all, the whole of it or a part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_config::Definition;
use engine_core::address::Address;
use engine_core::diagnostic::{Code, Diagnostic, Diagnostics};
use engine_core::graph::ResourceGraph;
use engine_core::live::Live;
use engine_core::object_ref::{ClusterRef, ObjectRef};
use engine_core::plan::PlannedOutput;
use engine_core::plan::selection::Selection;
use engine_core::rollout::Rollout;
use engine_core::state::{Output, ResourceRecord, State};
use engine_core::value::Text;

use crate::args::{Part, Planning, Verify};
use crate::error::CommandError;
use crate::session::Session;

/// The plan leaves out a part of the environment.
const PART: Code = Code(622);

/// What to plan.
pub struct Subject {
    /// Desired.
    pub graph: Arc<ResourceGraph>,
    /// All that the definition declares.
    pub whole: Arc<ResourceGraph>,
    /// Recorded.
    pub state: State,
    /// Recorded, and no part of it.
    pub left_out: BTreeMap<ObjectRef, ResourceRecord>,
    /// Outputs of the definition.
    pub outputs: BTreeMap<Text, PlannedOutput>,
    /// Conditions of the definition that do not hold, and what is left out.
    pub remarks: Diagnostics,
    /// Resources that are replaced although nothing of them changes.
    pub replace: BTreeSet<Address>,
    /// Clusters in waves.
    pub rollouts: Vec<Rollout>,
    /// Which objects are asked about.
    pub verify: Verify,
    /// Only the state is brought up to date.
    pub refresh_only: bool,
    /// Findings of feasibility that are not to be shown.
    pub accepted: BTreeSet<Code>,
    selection: Selection,
}

impl Subject {
    /// Plans what the definition says.
    pub fn of(definition: &Definition, session: &Session) -> Self {
        let outputs = definition.outputs.iter().map(|(name, output)| (name.clone(), output.value.clone()));
        Self {
            graph: definition.graph.clone(),
            whole: definition.graph.clone(),
            state: session.state(),
            left_out: BTreeMap::new(),
            outputs: outputs.collect(),
            remarks: definition.broken.clone(),
            replace: BTreeSet::new(),
            rollouts: definition.rollouts().to_vec(),
            verify: Verify::Records,
            refresh_only: false,
            accepted: definition.accepted.clone(),
            selection: Selection::default(),
        }
    }

    /// Plans the end of all that the definition has made. What it lets go stays.
    pub fn nothing_of(definition: &Definition, session: &Session) -> Self {
        let graph = Arc::new(definition.graph.emptied());
        let (outputs, remarks) = (BTreeMap::new(), Diagnostics::default());
        // An end needs no soak, and comes in reverse.
        let (whole, rollouts) = (graph.clone(), Vec::new());
        Self { graph, whole, outputs, remarks, rollouts, ..Self::of(definition, session) }
    }

    /// Plans to let go what is recorded at or below an address.
    ///
    /// # Errors
    /// Nothing is recorded there.
    pub fn release(definition: &Definition, session: &Session, text: &str) -> Result<Self, CommandError> {
        let released = address(text)?;
        let graph = Arc::new(definition.graph.releasing(released.clone()));
        let whole = Self { whole: graph.clone(), graph, ..Self::nothing_of(definition, session) };
        if !whole.state.records.values().any(|record| record.address.is_within(&released)) {
            return Err(CommandError::new(format!("the state has no {text}"))
                .hint("`terrane state list` shows all addresses"));
        }
        whole.restricted(&Part { target: vec![text.into()], cluster: Vec::new() }, definition)
    }

    /// Plans as the command line says.
    ///
    /// # Errors
    /// It names what is not there.
    pub fn planned(self, planning: &Planning, definition: &Definition) -> Result<Self, CommandError> {
        let mut subject = self.restricted(&planning.part, definition)?;
        for text in &planning.replace {
            let address = address(text)?;
            if subject.graph.at(&address).is_none() {
                return Err(CommandError::new(format!("no resource has the address {text}"))
                    .hint("give the address of one object, as a plan shows it"));
            }
            subject.replace.insert(address);
        }
        subject.verify = planning.verify;
        subject.refresh_only = planning.refresh_only;
        Ok(subject)
    }

    /// Plans a part.
    ///
    /// # Errors
    /// It names what is not there.
    pub fn restricted(mut self, part: &Part, definition: &Definition) -> Result<Self, CommandError> {
        let selection = Selection {
            targets: part.target.iter().map(|text| address(text)).collect::<Result<_, _>>()?,
            clusters: part.cluster.iter().map(|name| ClusterRef::new(name.as_str())).collect(),
        };
        if selection.is_everything() {
            return Ok(self);
        }
        let is_known = |cluster: &&ClusterRef| {
            definition.clusters.contains_key(*cluster) || self.state.clusters.contains_key(*cluster)
        };
        if let Some(unknown) = selection.clusters.iter().find(|cluster| !is_known(cluster)) {
            let known: Vec<&str> = definition.clusters.keys().map(ClusterRef::as_str).collect();
            return Err(CommandError::new(format!("there is no cluster {unknown}"))
                .hint(format!("declared are {}", known.join(", "))));
        }
        if let Some(target) = selection.unmatched(&self.graph, &self.state) {
            return Err(CommandError::new(format!("nothing has the address {target}"))
                .hint("`terrane plan` and `terrane state list` show addresses; in a shell, quote them"));
        }
        let part = selection.graph(&self.graph);
        let of_part = selection.state(&self.state, &self.graph, &part);
        let whole = std::mem::replace(&mut self.state, of_part);
        self.left_out = whole.records;
        self.left_out.retain(|object_ref, _| !self.state.records.contains_key(object_ref));
        self.outputs = self.state.outputs.iter().map(|(name, it)| (name.clone(), recorded(it))).collect();
        self.remarks = self.remarks.into_iter().filter(|fault| concerns(fault, &part)).collect();
        self.remarks.push(left_out(&selection));
        (self.graph, self.selection) = (Arc::new(part), selection);
        Ok(self)
    }

    /// Tells whether it is only a part of the environment.
    pub fn is_part(&self) -> bool {
        !self.selection.is_everything()
    }

    /// Leaves out of what was read what is no part.
    pub fn hide_others(&self, live: &mut Live) {
        self.selection.hide_others(live, &self.state, &self.graph);
    }

    /// Tells whether a cluster is part of it.
    pub fn has_cluster(&self, cluster: &ClusterRef) -> bool {
        self.selection.has_cluster(cluster)
    }
}

/// Reads an address of the command line.
///
/// # Errors
/// It is none.
pub fn address(text: &str) -> Result<Address, CommandError> {
    text.parse().map_err(|_| {
        CommandError::new(format!("{text:?} is no address"))
            .hint("write it as a plan shows it, in quotes for the shell: 'namespace.env[\"dev\"]'")
    })
}

/// An output stays what it is: it may depend on what is left out.
fn recorded(output: &Output) -> PlannedOutput {
    match output {
        Output::Value(value) => PlannedOutput::Value(value.clone()),
        Output::Sensitive => PlannedOutput::Sensitive,
    }
}

fn concerns(fault: &Diagnostic, part: &ResourceGraph) -> bool {
    let is_part = |address: &Address| part.resources().iter().any(|it| it.address.is_within(address));
    fault.address.as_ref().is_none_or(is_part)
}

fn left_out(selection: &Selection) -> Diagnostic {
    let targets = selection.targets.iter().map(ToString::to_string);
    let clusters = selection.clusters.iter().map(|cluster| format!("cluster {cluster}"));
    let names: Vec<String> = targets.chain(clusters).collect();
    Diagnostic::warning(PART, format!("the plan is about a part of the environment: {}", names.join(", ")))
        .detail(
            "Everything else is left as it is, also where it differs from the definition; so are outputs.",
        )
        .hint("plan without --target and --cluster to see what is left")
}
