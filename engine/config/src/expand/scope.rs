//! What names stand for while a module instance is evaluated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine_core::address::InstanceKey;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::graph::Block;
use engine_core::mark::EnvironmentName;
use engine_core::value::Text;

use super::frame::{BlockValue, Frame, Instance, Instances};
use crate::codes::{UNKNOWN_INSTANCE, UNKNOWN_REFERENCE};
use crate::eval::{Scope, Step, StepKind, did_you_mean, evaluate};
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;
use crate::module::{Bound, Expr};
use crate::templates::Templates;
use crate::types::Type;

/// What is the same everywhere in an environment.
pub(crate) struct Facts {
    pub(crate) functions: FunctionContext,
    /// `path.root`.
    pub(crate) directory: String,
    /// `terrane`.
    pub(crate) terrane: ExprValue,
    /// `repository`.
    pub(crate) repository: ExprValue,
    /// `cluster.NAME` of the root module; instances by key for a cluster with `for_each`.
    pub(crate) clusters: BTreeMap<Text, ExprValue>,
    /// What `cluster` stands for in a module, by the text form of the cluster's reference.
    pub(crate) cluster_of: BTreeMap<Text, ExprValue>,
}

impl Facts {
    /// Adds the environment's name, and the values of its clusters in the root module and in others.
    pub(crate) fn learn(
        &mut self,
        environment: &EnvironmentName,
        clusters: (BTreeMap<Text, ExprValue>, BTreeMap<Text, ExprValue>),
    ) {
        let name = ExprValue::string(environment.as_str());
        self.terrane = ExprValue::object([("environment".into(), name)]);
        (self.clusters, self.cluster_of) = clusters;
    }
}

/// Which instance of a block is evaluated.
pub(crate) enum Repeated {
    Once,
    Each { key: ExprValue, value: ExprValue },
    Count(ExprValue),
}

/// What an expression used.
#[derive(Default, Clone)]
pub(crate) struct Uses {
    /// The stages of blocks, each with the first place that refers to it.
    pub(super) blocks: Vec<(Block, SourceSpan)>,
    /// Whether anything used stands for something that an apply does.
    pub(super) planned: bool,
}

impl Uses {
    pub(super) fn add(&mut self, stage: Option<Block>, planned: bool, span: &SourceSpan) {
        self.planned |= planned;
        if let Some(stage) = stage
            && !self.blocks.iter().any(|(known, _)| *known == stage)
        {
            self.blocks.push((stage, span.clone()));
        }
    }

    /// Adds a block as a whole.
    pub(super) fn add_block(&mut self, block: &BlockValue, span: &SourceSpan) {
        match (block.stage, &block.instances) {
            (None, Instances::Keyed(map)) => {
                map.values().for_each(|one| self.add(one.stage, one.planned, span));
            }
            (None, Instances::Counted(list)) => {
                list.iter().for_each(|one| self.add(one.stage, one.planned, span));
            }
            (stage, _) => self.add(stage, block.planned(), span),
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.planned |= other.planned;
        for (block, span) in &other.blocks {
            self.add(Some(*block), false, span);
        }
    }
}

/// Evaluates an expression in a module instance and notes what it uses.
pub(crate) fn evaluate_in(
    facts: &Facts,
    frame: &Frame<'_>,
    expr: &Expr,
    repeated: &Repeated,
    uses: &mut Uses,
) -> Result<ExprValue, Diagnostics> {
    evaluate_scoped(facts, frame, (expr, &Bound::new()), (repeated, None), uses)
}

/// The same inside `dynamic` blocks, whose iterators are bound.
pub(super) fn evaluate_bound(
    facts: &Facts,
    frame: &Frame<'_>,
    (expr, bound): (&Expr, &Bound),
    repeated: &Repeated,
    uses: &mut Uses,
) -> Result<ExprValue, Diagnostics> {
    evaluate_scoped(facts, frame, (expr, bound), (repeated, None), uses)
}

/// The same for an expression in which `self` stands for something.
pub(super) fn evaluate_about(
    facts: &Facts,
    frame: &Frame<'_>,
    expr: &Expr,
    (repeated, subject): (&Repeated, Option<&ExprValue>),
    uses: &mut Uses,
) -> Result<ExprValue, Diagnostics> {
    evaluate_scoped(facts, frame, (expr, &Bound::new()), (repeated, subject), uses)
}

fn evaluate_scoped(
    facts: &Facts,
    frame: &Frame<'_>,
    (expr, bound): (&Expr, &Bound),
    (repeated, subject): (&Repeated, Option<&ExprValue>),
    uses: &mut Uses,
) -> Result<ExprValue, Diagnostics> {
    let uses = RefCell::new(uses);
    let scope = FrameScope { facts, frame, file: &expr.file, bound, repeated, subject, uses };
    evaluate(&expr.node, &scope)
}

struct FrameScope<'a> {
    facts: &'a Facts,
    frame: &'a Frame<'a>,
    file: &'a Arc<SourceFile>,
    bound: &'a Bound,
    repeated: &'a Repeated,
    subject: Option<&'a ExprValue>,
    uses: RefCell<&'a mut Uses>,
}

impl Scope for FrameScope<'_> {
    fn resolve(
        &self,
        root: &str,
        steps: &[Step],
        span: SourceSpan,
    ) -> Result<(ExprValue, usize), Diagnostics> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(name, _)| name == root) {
            return Ok((value.clone(), 0));
        }
        let name = steps.first().and_then(attribute).unwrap_or_default();
        let frame = self.frame;
        if let ("self", Some(subject)) = (root, self.subject) {
            return Ok((subject.clone(), 0));
        }
        let found = match (root, name) {
            ("var", name) => frame.variables.get(name).map(|input| {
                self.uses.borrow_mut().planned |= input.planned;
                input.value.clone()
            }),
            ("local", name) => frame.locals.get(name).map(|(value, uses)| {
                self.uses.borrow_mut().add_all(uses);
                value.clone()
            }),
            ("each", "key") => self.each().map(|(key, _)| key.clone()),
            ("each", "value") => self.each().map(|(_, value)| value.clone()),
            ("count", "index") => match self.repeated {
                Repeated::Count(index) => Some(index.clone()),
                _ => None,
            },
            ("path", "module") => Some(ExprValue::string(&frame.module.directory)),
            ("path", "root") => Some(ExprValue::string(&self.facts.directory)),
            ("self", "name") => self.self_step().map(|step| ExprValue::string(&step.name)),
            ("self", "key") => self.self_step().map(|step| instance_key(step.key.as_ref())),
            ("terrane", _) => return Ok((self.facts.terrane.clone(), 0)),
            ("repository", _) => return Ok((self.facts.repository.clone(), 0)),
            ("cluster", _) => return self.cluster(name, &span),
            _ => return self.block(root, steps, span),
        };
        found.map(|value| (value, 1)).ok_or_else(|| unresolved(root, name, span))
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }

    fn functions(&self) -> &FunctionContext {
        &self.facts.functions
    }

    fn templates(&self) -> Option<&Templates> {
        Some(&self.frame.module.templates)
    }
}

impl FrameScope<'_> {
    fn each(&self) -> Option<(&ExprValue, &ExprValue)> {
        match self.repeated {
            Repeated::Each { key, value } => Some((key, value)),
            _ => None,
        }
    }

    /// Returns the block that uses this module.
    fn self_step(&self) -> Option<&engine_core::address::Step> {
        self.frame.address.as_ref()?.steps().last()
    }

    fn cluster(&self, name: &str, span: &SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        if self.frame.address.is_none() {
            let cluster = self.facts.clusters.get(name);
            return cluster
                .map(|cluster| (cluster.clone(), 1))
                .ok_or_else(|| unresolved("cluster", name, span.clone()));
        }
        let own = self.frame.inherited.cluster.as_ref();
        let value = own.and_then(|cluster| self.facts.cluster_of.get(cluster.as_str()));
        // A block whose cluster is at fault has been reported.
        Ok((value.cloned().unwrap_or(ExprValue::unknown(Type::Any)), 0))
    }

    /// Resolves a reference to a block or to one of its instances.
    fn block(&self, root: &str, steps: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        let names: Vec<&str> = steps.iter().map_while(attribute).take(2).collect();
        let (name, taken) = match (root, &names[..]) {
            ("read", [kind, name]) => (format!("{kind}.{name}").into(), 2),
            (_, [name, ..]) => (Text::from(*name), 1),
            _ => (Text::default(), 0),
        };
        let found = self.frame.module.find(root, &name);
        let Some(block) = found.and_then(|idx| self.frame.blocks[idx].as_ref()) else {
            return Err(unresolved(root, &name, span));
        };
        match self.instance(block, steps.get(taken), &span)? {
            Some((instance, taken_more)) => {
                let mut uses = self.uses.borrow_mut();
                uses.add(instance.stage, instance.planned, &span);
                Ok((instance.value.clone(), taken + taken_more))
            }
            None => {
                self.uses.borrow_mut().add_block(block, &span);
                Ok((block.whole().clone(), taken))
            }
        }
    }

    /// Returns the instance that a step behind a block's name goes to; `None` for the block as a whole.
    fn instance<'b>(
        &self,
        block: &'b BlockValue,
        step: Option<&Step>,
        span: &SourceSpan,
    ) -> Result<Option<(&'b Instance, usize)>, Diagnostics> {
        let missing = |key: &str, known: Vec<&str>| {
            let hint = did_you_mean(key, known.iter().copied()).unwrap_or_else(|| match known.len() {
                0 => "the block has no instances".to_owned(),
                1..=10 => format!("there is {}", known.join(", ")),
                count => format!("there are {count} other instances"),
            });
            Diagnostics::from(
                Diagnostic::error(UNKNOWN_INSTANCE, format!("there is no instance {key}"))
                    .at(span.clone())
                    .hint(hint),
            )
        };
        match (&block.instances, step.map(|step| &step.kind)) {
            (Instances::Once(instance), _) => Ok(Some((instance, 0))),
            (Instances::Keyed(map), Some(StepKind::Attribute(key))) => {
                find_key(map, key).ok_or_else(|| unnamed(key, map, span)).map(Some)
            }
            (Instances::Keyed(map), Some(StepKind::Index(key))) if !key.is_sensitive() => {
                match key.as_text() {
                    Some(key) => find_key(map, key)
                        .ok_or_else(|| missing(key, map.keys().map(Text::as_str).collect()))
                        .map(Some),
                    None => Ok(None),
                }
            }
            (Instances::Counted(list), Some(StepKind::Index(key))) if !key.is_sensitive() => {
                let Some(index) = key.as_number().and_then(engine_core::value::Number::as_i64) else {
                    return Ok(None);
                };
                let found = usize::try_from(index).ok().and_then(|index| list.get(index));
                found
                    .map(|instance| Some((instance, 1)))
                    .ok_or_else(|| missing(&index.to_string(), Vec::new()))
            }
            _ => Ok(None),
        }
    }
}

/// An attribute of a block that has instances, although none was named.
fn unnamed(key: &Text, map: &BTreeMap<Text, Instance>, span: &SourceSpan) -> Diagnostics {
    let hint = did_you_mean(key, map.keys().map(Text::as_str)).unwrap_or_else(|| match map.keys().next() {
        None => "the block has no instances".to_owned(),
        Some(first) => format!("name an instance first: [{first:?}].{key}"),
    });
    Diagnostic::error(UNKNOWN_INSTANCE, format!("the block has instances, and none is called {key}"))
        .at(span.clone())
        .hint(hint)
        .into()
}

fn find_key<'b>(map: &'b BTreeMap<Text, Instance>, key: &Text) -> Option<(&'b Instance, usize)> {
    map.get(key).map(|instance| (instance, 1))
}

fn attribute(step: &Step) -> Option<&str> {
    match &step.kind {
        StepKind::Attribute(name) => Some(name),
        StepKind::Index(_) => None,
    }
}

fn instance_key(key: Option<&InstanceKey>) -> ExprValue {
    match key {
        None => ExprValue::NULL,
        Some(InstanceKey::Int(int)) => ExprValue::number(*int),
        Some(InstanceKey::String(text)) => ExprValue::string(text),
    }
}

/// The static check has reported such a name before; this is for names that only evaluation finds.
fn unresolved(root: &str, name: &str, span: SourceSpan) -> Diagnostics {
    let summary = match name {
        "" => format!("{root} on its own stands for nothing here"),
        name => format!("{root}.{name} stands for nothing here"),
    };
    Diagnostic::error(UNKNOWN_REFERENCE, summary).at(span).into()
}
