//! One instance of a module while it is evaluated.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use engine_core::address::{Address, Step};
use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::graph::Block;
use engine_core::object_ref::ClusterRef;
use engine_core::resource::{Timeouts, Wait};
use engine_core::value::Text;

use super::Walk;
use super::conditions::Verdict;
use super::scope::{Repeated, Uses};
use crate::codes::{SENSITIVE, VALIDATION};
use crate::expr_value::ExprValue;
use crate::module::{Condition, Module, Variable};
use crate::types::Type;

/// The value of a variable.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) value: ExprValue,
    /// Whether it was computed from something planned.
    pub(crate) planned: bool,
}

/// What a block passes on to everything inside it.
#[derive(Clone, Default)]
pub(crate) struct Inherited {
    pub(crate) cluster: Option<ClusterRef>,
    pub(crate) prevent_destroy: bool,
    pub(crate) wait: Wait,
    pub(crate) timeouts: Timeouts,
    /// Whether the block waits for something planned.
    pub(crate) planned: bool,
    /// The block, and those around it, whose preconditions are known only after apply.
    pub(crate) guards: Vec<Address>,
}

/// One instance of a module: its inputs and what has been evaluated of it.
pub(crate) struct Frame<'m> {
    pub(crate) module: &'m Module,
    /// `None` for the root module.
    pub(super) address: Option<Address>,
    pub(super) block: Option<Block>,
    pub(super) inherited: Inherited,
    pub(super) variables: BTreeMap<Text, Input>,
    pub(super) locals: HashMap<Text, (ExprValue, Uses)>,
    /// By position in the module; `None` until evaluated.
    pub(super) blocks: Vec<Option<BlockValue>>,
}

/// What references to a block give.
pub(super) struct BlockValue {
    /// The stage of all instances; `None` when none is in the graph.
    pub(super) stage: Option<Block>,
    pub(super) instances: Instances,
    /// The value of the block as a whole, made when first used.
    pub(super) whole: OnceCell<ExprValue>,
}

/// The instances of a block.
pub(super) enum Instances {
    /// The block has faults, or its instances are not known yet.
    Unclear,
    Once(Instance),
    Keyed(BTreeMap<Text, Instance>),
    Counted(Vec<Instance>),
}

/// What references to an instance give.
pub(super) struct Instance {
    pub(super) stage: Option<Block>,
    pub(super) value: ExprValue,
    /// Whether it stands for something that an apply does.
    pub(super) planned: bool,
}

impl<'m> Frame<'m> {
    /// Builds the frame of the root module.
    pub(crate) fn root(module: &'m Module, variables: BTreeMap<Text, Input>) -> Self {
        Self::new(module, variables, Inherited::default())
    }

    pub(super) fn new(module: &'m Module, variables: BTreeMap<Text, Input>, inherited: Inherited) -> Self {
        Self {
            module,
            address: None,
            block: None,
            inherited,
            variables,
            locals: HashMap::new(),
            blocks: module.blocks.iter().map(|_| None).collect(),
        }
    }

    /// Returns the address of a block of this module instance.
    pub(super) fn child(&self, step: Step) -> Address {
        match &self.address {
            Some(address) => address.child(step),
            None => Address::root(step),
        }
    }
}

impl BlockValue {
    pub(super) fn new(stage: Option<Block>, instances: Instances) -> Self {
        Self { stage, instances, whole: OnceCell::new() }
    }

    /// Returns the value of the block as a whole: one instance, a map of them or a list of them.
    pub(super) fn whole(&self) -> &ExprValue {
        self.whole.get_or_init(|| match &self.instances {
            Instances::Unclear => ExprValue::unknown(Type::Any),
            Instances::Once(instance) => instance.value.clone(),
            Instances::Keyed(map) => {
                ExprValue::object(map.iter().map(|(key, one)| (key.clone(), one.value.clone())))
            }
            Instances::Counted(list) => ExprValue::tuple(list.iter().map(|one| one.value.clone())),
        })
    }

    /// Tells whether any instance stands for something that an apply does.
    pub(super) fn planned(&self) -> bool {
        match &self.instances {
            Instances::Unclear => false,
            Instances::Once(instance) => instance.planned,
            Instances::Keyed(map) => map.values().any(|instance| instance.planned),
            Instances::Counted(list) => list.iter().any(|instance| instance.planned),
        }
    }
}

impl Walk<'_> {
    /// Checks the validation rules of a module instance's variables.
    pub(super) fn validate(&mut self, frame: &Frame<'_>) {
        for (name, variable) in &frame.module.variables {
            for rule in &variable.validations {
                if let Err(fault) = self.validation(frame, name, variable, rule) {
                    self.faults.extend(fault);
                }
            }
        }
    }

    fn validation(
        &self,
        frame: &Frame<'_>,
        name: &Text,
        variable: &Variable,
        rule: &Condition,
    ) -> Result<(), Diagnostics> {
        let message = match self.verdict(frame, rule, (&Repeated::Once, None), &mut Uses::default()) {
            Ok(Verdict::Fails(message)) => message,
            Ok(Verdict::Holds | Verdict::Open) => return Ok(()),
            Err(faults) if faults.iter().all(|fault| fault.code == SENSITIVE) => {
                "the value is not allowed (the message is sensitive)".to_owned()
            }
            Err(faults) => return Err(faults),
        };
        let mut fault = Diagnostic::error(VALIDATION, format!("variable {name}: {message}"))
            .at(rule.condition.span())
            .label(variable.span.clone(), "the variable");
        if let Some(address) = &frame.address {
            fault = fault.about(address.clone());
        }
        Err(fault.into())
    }
}
