//! One block: its instances, and what each depends on.

use std::collections::BTreeMap;

use engine_core::address::{Address, InstanceKey, Step};
use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::field_path::FieldPath;
use engine_core::graph::{Block, EdgeReason};
use engine_core::object_ref::ClusterRef;
use engine_core::resource::Wait;
use engine_core::value::Text;

use super::frame::{BlockValue, Instance, Instances};
use super::instances::{Key, MAX_INSTANCES};
use super::scope::{Repeated, Uses};
use super::{Frame, Inherited, Input, Walk};
use crate::codes::{
    CLUSTER_CHOICE, EPHEMERAL, INSTANCES, INVALID_ARGUMENT, MISSING_ARGUMENT, UNKNOWN_INSTANCE, VARIABLE_TYPE,
};
use crate::convert::convert;
use crate::expr_value::ExprValue;
use crate::module::{Argument, Body, Declaration, Module, Repeat, Target};
use crate::types::Type;

/// After how many faulty instances of one block the others are left out: they fail for the same reason.
const MAX_FAULTY: usize = 3;

/// The instance of a block that is being evaluated.
pub(super) struct Site<'s> {
    pub(super) declaration: &'s Declaration,
    pub(super) address: Address,
    pub(super) stage: Option<Block>,
    pub(super) inherited: Inherited,
    pub(super) repeated: &'s Repeated,
    /// What replaces its objects when it changes.
    pub(super) triggers: Vec<(Address, FieldPath)>,
    /// Whether its objects have conditions to be judged after an apply.
    pub(super) postcondition: bool,
}

impl Walk<'_> {
    pub(super) fn block(&mut self, frame: &mut Frame<'_>, idx: usize) {
        let module = frame.module;
        let value = self.block_value(frame, &module.blocks[idx]);
        frame.blocks[idx] = Some(value);
    }

    fn block_value(&mut self, frame: &Frame<'_>, declaration: &Declaration) -> BlockValue {
        let mut uses = Uses::default();
        let keys = match self.keys(frame, &declaration.repeat, &mut uses) {
            Ok(Some(keys)) => keys,
            Ok(None) => return BlockValue::new(None, Instances::Unclear),
            Err(faults) => {
                self.faults.extend(faults);
                return BlockValue::new(None, Instances::Unclear);
            }
        };
        self.instances += keys.len();
        if self.instances > MAX_INSTANCES {
            let summary = format!("the environment has more than {MAX_INSTANCES} block instances");
            self.faults.push(Diagnostic::error(INSTANCES, summary).at(declaration.span.clone()));
            return BlockValue::new(None, Instances::Unclear);
        }
        let waits = self.waits(frame, declaration);
        uses.planned |= waits.planned;
        let is_read = matches!(declaration.body, Body::Read { .. });
        let repeated = !matches!(declaration.repeat, Repeat::Once);
        let stage = (repeated && !is_read).then(|| {
            let step = Step::new(declaration.block_type.clone(), declaration.name.clone(), None);
            let stage = self.builder.block(&frame.child(step), frame.block);
            self.depend(stage, &uses);
            self.wait_for(stage, &waits);
            stage
        });
        let instances = self.all_instances(frame, declaration, keys, (stage, &waits, &uses));
        let stage = match &instances {
            Instances::Once(instance) => instance.stage,
            _ => stage,
        };
        BlockValue::new(stage, instances)
    }

    fn all_instances(
        &mut self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        keys: Vec<Key>,
        (stage, waits, common): (Option<Block>, &Uses, &Uses),
    ) -> Instances {
        let mut once = None;
        let mut keyed = Vec::new();
        let mut counted = Vec::new();
        let mut faulty = 0;
        for (key, repeated) in keys {
            let instance = self.instance(frame, declaration, (&key, &repeated), (stage, waits, common));
            let instance = match instance {
                Ok(instance) => instance,
                Err(faults) => {
                    // What a precondition rules out follows from it.
                    let ruled_out = self.ruled_out(frame, declaration, &key);
                    self.faults.extend(ruled_out.unwrap_or(faults));
                    faulty += 1;
                    if faulty == MAX_FAULTY {
                        break;
                    }
                    continue;
                }
            };
            match key {
                None => once = Some(instance),
                Some(InstanceKey::String(key)) => keyed.push((key, instance)),
                Some(InstanceKey::Int(_)) => counted.push(instance),
            }
        }
        match (&declaration.repeat, once) {
            _ if faulty > 0 => Instances::Unclear,
            (Repeat::Once, Some(instance)) => Instances::Once(instance),
            (Repeat::Once, None) => Instances::Unclear,
            (Repeat::ForEach(_), _) => Instances::Keyed(keyed.into_iter().collect()),
            (Repeat::Count(_), _) => Instances::Counted(counted),
        }
    }

    fn ruled_out(
        &mut self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        key: &Option<InstanceKey>,
    ) -> Option<Diagnostics> {
        let step = Step::new(declaration.block_type.clone(), declaration.name.clone(), key.clone());
        self.verdicts.before.remove(&frame.child(step))
    }

    fn instance(
        &mut self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        (key, repeated): (&Option<InstanceKey>, &Repeated),
        (group, waits, common): (Option<Block>, &Uses, &Uses),
    ) -> Result<Instance, Diagnostics> {
        let step = Step::new(declaration.block_type.clone(), declaration.name.clone(), key.clone());
        let address = frame.child(step);
        let mut uses = Uses::default();
        let open = self.preconditions(frame, (declaration, &address), repeated, &mut uses);
        let mut inherited = self.inherited(frame, declaration, repeated, (&mut uses, common))?;
        if open {
            inherited.guards.push(address.clone());
        }
        let is_read = matches!(declaration.body, Body::Read { .. });
        let stage = (!is_read).then(|| {
            let stage = self.builder.block(&address, group.or(frame.block));
            if group.is_none() {
                self.wait_for(stage, waits);
            }
            stage
        });
        if let (None, Some(stage), Some(cluster)) = (&frame.address, stage, &inherited.cluster) {
            self.by_cluster.entry(cluster.clone()).or_default().push(stage);
        }
        let triggers = triggers(frame, declaration);
        let mut site =
            Site { declaration, address, stage, inherited, repeated, triggers, postcondition: false };
        let instance = match &declaration.body {
            Body::Module { module, arguments } => {
                self.use_module(frame, &mut site, (module, arguments), &mut uses)?
            }
            Body::Read { .. } => {
                uses.planned |= common.planned;
                let mut all = common.clone();
                all.blocks.extend(uses.blocks);
                all.planned |= uses.planned;
                return self.read(frame, &site, all, waits);
            }
            _ => {
                site.postcondition = self.postconditions(frame, &site, &mut uses);
                self.primitive(frame, &site, &mut uses)?
            }
        };
        if let Some(stage) = stage {
            self.depend(stage, &uses);
        }
        Ok(instance)
    }

    /// Returns what the block passes on to its resources.
    fn inherited(
        &self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        repeated: &Repeated,
        (uses, common): (&mut Uses, &Uses),
    ) -> Result<Inherited, Diagnostics> {
        let mut inherited = frame.inherited.clone();
        if frame.address.is_none() {
            inherited.cluster = Some(self.choose_cluster(frame, declaration, repeated, uses)?);
        }
        if let Some(expr) = &declaration.wait {
            let value = self.expr(frame, expr, repeated, uses)?;
            match value.as_bool() {
                Some(true) => inherited.wait = Wait::WhenKnown,
                Some(false) => inherited.wait = Wait::Never,
                None => {
                    return Err(Diagnostic::error(INVALID_ARGUMENT, "wait must be true or false")
                        .at(expr.span())
                        .hint("write `wait = false` to go on as soon as the objects are written")
                        .into());
                }
            }
        }
        if let Some(timeouts) = declaration.timeouts {
            inherited.timeouts = timeouts;
        }
        inherited.prevent_destroy |= declaration.prevent_destroy;
        inherited.planned |= common.planned;
        Ok(inherited)
    }

    fn choose_cluster(
        &self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        repeated: &Repeated,
        uses: &mut Uses,
    ) -> Result<ClusterRef, Diagnostics> {
        let clusters = self.ground.clusters;
        let names = || clusters.keys().map(|name| format!("cluster.{name}")).collect::<Vec<_>>().join(", ");
        let Some(expr) = &declaration.cluster else {
            let mut all = clusters.keys();
            return match (all.next(), all.next()) {
                (Some(only), None) => Ok(only.clone()),
                _ => Err(Diagnostic::error(
                    CLUSTER_CHOICE,
                    format!("{} does not say which cluster it belongs to", declaration.title()),
                )
                .at(declaration.span.clone())
                .hint(format!("add `cluster = …`, one of {}", names()))
                .into()),
            };
        };
        let value = self.expr(frame, expr, repeated, uses)?;
        let found = value.get("name").and_then(|name| {
            let name = ClusterRef::new(name.as_text()?.clone());
            clusters.contains_key(&name).then_some(name)
        });
        found.ok_or_else(|| {
            Diagnostic::error(CLUSTER_CHOICE, "this is not a cluster of the environment")
                .at(expr.span())
                .hint(format!("there is {}", names()))
                .into()
        })
    }

    /// Collects what `depends_on` names.
    fn waits(&mut self, frame: &Frame<'_>, declaration: &Declaration) -> Uses {
        let mut waits = Uses::default();
        let triggers = declaration.replace_triggered_by.iter().map(|trigger| &trigger.target);
        for target in declaration.depends_on.iter().chain(triggers) {
            let idx = frame.module.find(&target.block_type, &target.name);
            let Some(block) = idx.and_then(|idx| frame.blocks[idx].as_ref()) else {
                continue;
            };
            match target_instance(block, target) {
                Ok(None) => waits.add_block(block, &target.span),
                Ok(Some(instance)) => waits.add(instance.stage, instance.planned, &target.span),
                Err(faults) => self.faults.extend(faults),
            }
        }
        waits
    }

    pub(super) fn wait_for(&mut self, dependent: Block, waits: &Uses) {
        for (dependency, span) in &waits.blocks {
            self.builder.depend(dependent, *dependency, EdgeReason::DependsOn(span.clone()));
        }
    }

    /// Evaluates one use of a module.
    fn use_module(
        &mut self,
        frame: &Frame<'_>,
        site: &mut Site<'_>,
        (module, arguments): (&Module, &BTreeMap<Text, Argument>),
        uses: &mut Uses,
    ) -> Result<Instance, Diagnostics> {
        let mut inputs = BTreeMap::new();
        let mut faults = Diagnostics::default();
        for (name, variable) in &module.variables {
            let mut own = Uses::default();
            let given = arguments.get(name).map(|argument| {
                let value = self.given(frame, argument, site.repeated, &mut own)?;
                value.map(|value| variable.accept(name, &value, &argument.span())).transpose()
            });
            let value = match given.unwrap_or(Ok(None)) {
                Ok(None) => variable.without_argument(name, site),
                Ok(Some(value)) => Ok(value),
                Err(found) => Err(found),
            };
            match value {
                Ok(value) => {
                    let planned = own.planned;
                    inputs.insert(name.clone(), Input { value, planned });
                }
                Err(found) => faults.extend(found),
            }
            uses.add_all(&own);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut inner = Frame::new(module, inputs, site.inherited.clone());
        inner.address = Some(site.address.clone());
        inner.block = site.stage;
        let before = self.faults.len();
        let outputs = self.module(inner);
        if self.faults.len() > before {
            // Reported where they are; this instance has no value.
            return Err(Diagnostics::default());
        }
        Ok(Instance { stage: site.stage, value: ExprValue::object(outputs), planned: true })
    }
}

/// Returns the addresses and fields of `replace_triggered_by`.
fn triggers(frame: &Frame<'_>, declaration: &Declaration) -> Vec<(Address, FieldPath)> {
    let triggers = declaration.replace_triggered_by.iter().map(|trigger| {
        let Target { block_type, name, key, .. } = &trigger.target;
        let index = || u64::try_from(key.as_ref()?.as_number()?.as_i64()?).ok();
        let key = key.as_ref().and_then(|key| key.as_text().cloned().map(InstanceKey::String));
        let key = key.or_else(|| index().map(InstanceKey::Int));
        (frame.child(Step::new(block_type.clone(), name.clone(), key)), trigger.field.clone())
    });
    triggers.collect()
}

fn target_instance<'b>(block: &'b BlockValue, target: &Target) -> Result<Option<&'b Instance>, Diagnostics> {
    let Some(key) = &target.key else {
        return Ok(None);
    };
    let found = match &block.instances {
        Instances::Unclear => return Ok(None),
        Instances::Once(_) => None,
        Instances::Keyed(map) => key.as_text().and_then(|key| map.get(key)),
        Instances::Counted(list) => key
            .as_number()
            .and_then(engine_core::value::Number::as_i64)
            .and_then(|index| list.get(usize::try_from(index).ok()?)),
    };
    found.map(Some).ok_or_else(|| {
        Diagnostic::error(
            UNKNOWN_INSTANCE,
            format!("{}.{} has no instance {key}", target.block_type, target.name),
        )
        .at(target.span.clone())
        .into()
    })
}

impl crate::module::Variable {
    /// Returns the value when the block gives none. That it must give one has been checked, except for `dynamic` blocks
    /// that come to nothing.
    fn without_argument(&self, name: &Text, site: &Site<'_>) -> Result<ExprValue, Diagnostics> {
        match &self.default {
            Some(default) => Ok(self.marks.put_on(default.clone())),
            None => Err(Diagnostic::error(
                MISSING_ARGUMENT,
                format!("{} needs the argument {name}", site.declaration.title()),
            )
            .detail("Its dynamic blocks stand for no block.")
            .at(site.declaration.span.clone())
            .label(self.span.clone(), "declared here without a default")
            .hint(format!("give at least one block {name}"))
            .into()),
        }
    }

    /// Converts a value to the variable's type.
    pub(crate) fn accept(
        &self,
        name: &Text,
        value: &ExprValue,
        span: &engine_core::diagnostic::SourceSpan,
    ) -> Result<ExprValue, Diagnostics> {
        let fault = |summary: String| {
            Diagnostics::from(
                Diagnostic::error(VARIABLE_TYPE, summary)
                    .at(span.clone())
                    .label(self.span.clone(), "the variable")
                    .hint(format!("give a value of type {}", self.ty)),
            )
        };
        if value.contains_ephemeral() && !self.marks.ephemeral {
            let summary = format!("variable {name} takes nothing ephemeral");
            return Err(Diagnostic::error(EPHEMERAL, summary)
                .at(span.clone())
                .label(self.span.clone(), "the variable")
                .hint("declare it with `ephemeral = true`, if the module keeps it nowhere")
                .into());
        }
        let value = match (&self.default, value.is_null() && !self.nullable) {
            (Some(default), true) => default.clone(),
            (None, true) => return Err(fault(format!("variable {name} must not be null"))),
            (_, false) => {
                let ty = if value.is_null() { &Type::Any } else { &self.ty };
                convert(value, ty)
                    .map_err(|error| fault(format!("invalid value for variable {name}: {error}")))
                    .map_err(|faults| match self.marks.sensitive || value.contains_sensitive() {
                        true => faults,
                        false => faults
                            .into_iter()
                            .map(|fault| fault.detail(format!("The given value is {value}.")))
                            .collect(),
                    })?
            }
        };
        Ok(self.marks.put_on(value))
    }
}
