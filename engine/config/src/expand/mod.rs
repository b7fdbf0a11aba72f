//! The walk that evaluates modules in the order of their references and fills the graph.
//!
//! Every block instance becomes a stage of the graph. What its expressions refer to is noted while they are
//! evaluated, so an instance depends on the instances it uses and not on whole blocks.

mod block;
mod conditions;
mod files;
mod frame;
mod instances;
mod namespaces;
mod object;
mod overlay;
mod primitive;
mod read;
mod refactoring;
mod scope;
mod secret;

use std::collections::BTreeMap;

use engine_core::address::Address;
use engine_core::cluster::Clusters;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::graph::{Block, EdgeReason, GraphBuilder};
use engine_core::object_ref::ClusterRef;
use engine_core::resource::Resource;
use engine_core::rollout::Rollout;
use engine_core::value::{Text, Value};

pub(crate) use self::conditions::{Asked, Verdicts};
pub(crate) use self::frame::{Frame, Inherited, Input};
pub(crate) use self::overlay::{Overlays, Rendering};
pub(crate) use self::read::seen;
pub(crate) use self::refactoring::check as check_refactoring;
pub(crate) use self::scope::{Facts, Repeated, Uses, evaluate_in};
use crate::codes::{EPHEMERAL, UNKNOWN_INSTANCE};
use crate::expr_value::ExprValue;
use crate::generate::Generated;
use crate::module::{Argument, Expr, Module, Node, Output, evaluate_argument};
use crate::source::Files;

/// What a walk rests on.
pub(crate) struct Ground<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) files: &'a Files,
    pub(crate) overlays: &'a Overlays<'a>,
    pub(crate) clusters: &'a Clusters,
    /// What reads have found so far; `Null` for an object that does not exist.
    pub(crate) reads: &'a BTreeMap<Address, Value>,
    /// Objects as an apply has left them, by the address of their resource: what `self` is in postconditions.
    pub(crate) subjects: &'a BTreeMap<Address, ExprValue>,
    /// At apply: the values that have been generated; `None` before, because a plan generates none.
    pub(crate) generated: Option<&'a Generated>,
}

/// What a walk has found.
pub(crate) struct Expanded {
    pub(crate) builder: GraphBuilder,
    /// Reads without an answer that depend on nothing planned.
    pub(crate) pending: Vec<Resource>,
    pub(crate) outputs: BTreeMap<Text, ExprValue>,
    pub(crate) faults: Diagnostics,
    pub(crate) warnings: Diagnostics,
    pub(crate) verdicts: Verdicts,
}

/// The order between clusters.
#[derive(Default)]
pub(crate) struct ClusterOrder {
    /// Who waits, for whom, and where it is written.
    pub(crate) waits: Vec<(ClusterRef, ClusterRef, SourceSpan)>,
    /// Clusters in waves.
    pub(crate) rollouts: Vec<Rollout>,
    /// The checks that their waves name, and where.
    pub(crate) checks: Vec<(Address, SourceSpan)>,
}

/// Evaluates an environment. What has been found wrong with its inputs is among the faults.
pub(crate) fn expand(
    ground: &Ground<'_>,
    module: &Module,
    (inputs, faults): (BTreeMap<Text, Input>, Diagnostics),
    order: &ClusterOrder,
) -> Expanded {
    expand_root(ground, module, (inputs, faults), order).0
}

/// The same, with the root module as it is then: what its names stand for.
pub(crate) fn expand_root<'m>(
    ground: &Ground<'_>,
    module: &'m Module,
    (inputs, faults): (BTreeMap<Text, Input>, Diagnostics),
    order: &ClusterOrder,
) -> (Expanded, Frame<'m>) {
    let mut walk = Walk {
        ground,
        builder: GraphBuilder::default(),
        faults,
        warnings: Diagnostics::default(),
        pending: Vec::new(),
        verdicts: Verdicts::default(),
        instances: 0,
        by_cluster: BTreeMap::new(),
    };
    let mut root = Frame::root(module, inputs);
    let outputs = walk.nodes(&mut root);
    walk.order_clusters(order);
    walk.find_checks(order);
    let expanded = Expanded {
        builder: walk.builder,
        pending: walk.pending,
        outputs,
        faults: walk.faults,
        warnings: walk.warnings,
        verdicts: walk.verdicts,
    };
    (expanded, root)
}

/// The state of a walk.
struct Walk<'a> {
    ground: &'a Ground<'a>,
    builder: GraphBuilder,
    faults: Diagnostics,
    warnings: Diagnostics,
    pending: Vec<Resource>,
    verdicts: Verdicts,
    /// How many instances there are so far.
    instances: usize,
    /// The instances of the root module's blocks, by their cluster.
    by_cluster: BTreeMap<ClusterRef, Vec<Block>>,
}

impl<'a> Walk<'a> {
    /// Evaluates a module instance; returns its outputs.
    fn module(&mut self, mut frame: Frame<'_>) -> BTreeMap<Text, ExprValue> {
        self.nodes(&mut frame)
    }

    fn nodes(&mut self, frame: &mut Frame<'_>) -> BTreeMap<Text, ExprValue> {
        self.validate(frame);
        let mut outputs = BTreeMap::new();
        for node in &frame.module.order {
            match node {
                Node::Local(name) => self.local(frame, name),
                Node::Block(idx) => self.block(frame, *idx),
                Node::Outputs => outputs = self.outputs(frame),
            }
        }
        self.refactor(frame);
        self.checks(frame);
        outputs
    }

    fn local(&mut self, frame: &mut Frame<'_>, name: &Text) {
        let Some(local) = frame.module.locals.get(name) else {
            return;
        };
        let mut uses = Uses::default();
        let value = self.argument(frame, &local.value, &Repeated::Once, &mut uses);
        frame.locals.insert(name.clone(), (self.or_unknown(value), uses));
    }

    fn outputs(&mut self, frame: &Frame<'_>) -> BTreeMap<Text, ExprValue> {
        let mut outputs = BTreeMap::new();
        for (name, output) in &frame.module.outputs {
            let value = self.expr(frame, &output.value, &Repeated::Once, &mut Uses::default());
            let may_give = self.may_give(frame, name, output);
            let value = self.or_unknown(value);
            self.check_ephemeral(frame, name, output, &value);
            let value = if may_give { value } else { ExprValue::unknown(value.ty()) };
            let value = output.marks.put_on(value);
            outputs.insert(name.clone(), value);
        }
        outputs
    }

    /// An output that does not say so must not pass on what is ephemeral. Those of the environment are judged as a
    /// whole, once they are all known.
    fn check_ephemeral(&mut self, frame: &Frame<'_>, name: &Text, output: &Output, value: &ExprValue) {
        if value.contains_ephemeral() && !output.marks.ephemeral && frame.address.is_some() {
            self.faults.push(
                Diagnostic::error(EPHEMERAL, format!("output {name} holds an ephemeral value"))
                    .at(output.value.span())
                    .label(output.span.clone(), "the output")
                    .hint("add `ephemeral = true` to pass it on"),
            );
        }
    }

    /// Evaluates an expression and notes what it uses.
    fn expr(
        &self,
        frame: &Frame<'_>,
        expr: &Expr,
        repeated: &Repeated,
        uses: &mut Uses,
    ) -> Result<ExprValue, Diagnostics> {
        evaluate_in(self.ground.facts, frame, expr, repeated, uses)
    }

    fn argument(
        &self,
        frame: &Frame<'_>,
        argument: &Argument,
        repeated: &Repeated,
        uses: &mut Uses,
    ) -> Result<ExprValue, Diagnostics> {
        Ok(self.given(frame, argument, repeated, uses)?.unwrap_or(ExprValue::NULL))
    }

    /// Evaluates an argument; `None` when it is as if it had not been written.
    fn given(
        &self,
        frame: &Frame<'_>,
        argument: &Argument,
        repeated: &Repeated,
        uses: &mut Uses,
    ) -> Result<Option<ExprValue>, Diagnostics> {
        let facts = self.ground.facts;
        evaluate_argument(argument, &mut |expr, bound| {
            scope::evaluate_bound(facts, frame, (expr, bound), repeated, uses)
        })
    }

    /// Reports the faults of a value and goes on with one that is known after apply.
    fn or_unknown(&mut self, value: Result<ExprValue, Diagnostics>) -> ExprValue {
        value.unwrap_or_else(|faults| {
            self.faults.extend(faults);
            ExprValue::unknown(crate::types::Type::Any)
        })
    }

    /// Tells whether an unknown value may stem from what has been reported, or from a read that will be
    /// answered before the next walk: then it is no fault of its own.
    fn is_provisional(&self) -> bool {
        self.faults.has_errors() || !self.pending.is_empty() || !self.verdicts.before.is_empty()
    }

    fn depend(&mut self, dependent: Block, uses: &Uses) {
        for (dependency, span) in &uses.blocks {
            self.builder.depend(dependent, *dependency, EdgeReason::Reference(span.clone()));
        }
    }

    /// Orders clusters: a stage holds all that is on one of them.
    fn order_clusters(&mut self, order: &ClusterOrder) {
        let mut stages = BTreeMap::new();
        let in_order = order.waits.iter().flat_map(|(dependent, dependency, _)| [dependent, dependency]);
        let waves = order.rollouts.iter().flat_map(|rollout| &rollout.waves);
        for cluster in in_order.chain(waves.flat_map(|wave| &wave.clusters)) {
            stages.entry(cluster).or_insert_with(|| {
                let stage = self.builder.block(&Address::of_cluster(cluster), None);
                for block in self.by_cluster.get(cluster).into_iter().flatten() {
                    self.builder.contain(stage, *block);
                }
                stage
            });
        }
        for (dependent, dependency, span) in &order.waits {
            self.builder.depend(stages[dependent], stages[dependency], EdgeReason::DependsOn(span.clone()));
        }
    }

    /// Reports what waves name checks of, if there is no such instance: a check that nobody judges would hold
    /// nothing. A block as a whole may have no instances.
    fn find_checks(&mut self, order: &ClusterOrder) {
        if self.is_provisional() {
            return;
        }
        for (named, span) in &order.checks {
            let has_key = named.steps().iter().any(|step| step.key.is_some());
            if has_key && !self.verdicts.checks.iter().any(|(check, _)| check.is_within(named)) {
                let fault = Diagnostic::error(UNKNOWN_INSTANCE, format!("there is no {named}"));
                self.faults.push(
                    fault
                        .at(span.clone())
                        .hint("name an instance that there is, or leave the key out for all of them"),
                );
            }
        }
    }
}
