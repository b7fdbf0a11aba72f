//! Checks every reference of a module before anything is evaluated, and orders what refers to each other.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use engine_core::address::Address;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::graph::order::{CycleEdge, cycle_diagnostic, order};
use engine_core::value::Text;
use petgraph::graph::{DiGraph, NodeIndex};

use super::decode::Level;
use super::{Body, Declaration, Expr, Module, Node, Repeat, Target, Wave};
use crate::codes::{CLUSTER_CHOICE, DEPRECATED, MISPLACED_REFERENCE, UNKNOWN_REFERENCE};
use crate::eval::{Reference, Step, StepKind, did_you_mean, references};
use crate::foreign;

/// What an expression may refer to besides blocks, locals and variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Locals, outputs, `for_each`, `count`.
    Plain,
    /// A block with `for_each`.
    Each,
    /// A block with `count`.
    Count,
    /// A validation rule: no locals, no blocks.
    Validation,
    /// Settings and clusters: variables only.
    Variables,
    /// A cluster with `for_each`: variables and `each`.
    VariablesEach,
}

impl Place {
    fn of(declaration: &Declaration) -> Self {
        match declaration.repeat {
            Repeat::Once => Self::Plain,
            Repeat::ForEach(_) => Self::Each,
            Repeat::Count(_) => Self::Count,
        }
    }
}

/// Checks all references of a module and sets its order.
pub(super) fn check(module: &mut Module, level: Level, faulty: &HashSet<String>, faults: &mut Diagnostics) {
    let mut checker = Checker { module, level, faulty, faults, edges: Vec::new(), scope: None };
    checker.locals_and_outputs();
    checker.blocks();
    checker.validations();
    checker.imports();
    checker.checks();
    checker.root();
    let edges = checker.edges;
    for edge in &edges {
        if let Node::Block(idx) = edge.dependency {
            module.blocks[idx].referenced |= edge.how == REFERS;
        }
    }
    match ordered(module, edges) {
        Ok(order) => module.order = order,
        Err(cycle) => faults.extend(cycle),
    }
}

const REFERS: &str = "refers to it";

struct Edge {
    dependent: Node,
    dependency: Node,
    span: SourceSpan,
    how: &'static str,
}

fn ordered(module: &Module, edges: Vec<Edge>) -> Result<Vec<Node>, Diagnostics> {
    let mut graph: DiGraph<Node, Edge> = DiGraph::new();
    let mut indexes: BTreeMap<Node, NodeIndex> = BTreeMap::new();
    let nodes = module.locals.keys().cloned().map(Node::Local);
    let blocks = (0..module.blocks.len()).map(Node::Block);
    for node in nodes.chain(blocks).chain([Node::Outputs]) {
        indexes.insert(node.clone(), graph.add_node(node));
    }
    for edge in edges {
        if let (Some(from), Some(to)) = (indexes.get(&edge.dependency), indexes.get(&edge.dependent)) {
            graph.add_edge(*from, *to, edge);
        }
    }
    let name = |node: &Node| match node {
        Node::Local(name) => format!("local.{name}"),
        Node::Block(idx) => module.blocks[*idx].title(),
        Node::Outputs => "the outputs".to_owned(),
    };
    match order(&graph, name) {
        Ok(order) => Ok(order.into_iter().map(|idx| graph[idx].clone()).collect()),
        Err(cycle) => {
            let edges = cycle.into_iter().map(|edge| CycleEdge {
                dependent: name(&graph[edge].dependent),
                dependency: name(&graph[edge].dependency),
                span: Some(graph[edge].span.clone()),
                how: graph[edge].how.to_owned(),
            });
            Err(cycle_diagnostic(edges.collect()).into())
        }
    }
}

struct Checker<'a> {
    module: &'a Module,
    level: Level,
    faulty: &'a HashSet<String>,
    faults: &'a mut Diagnostics,
    edges: Vec<Edge>,
    /// The check whose expressions are looked at.
    scope: Option<&'a Text>,
}

impl Checker<'_> {
    fn locals_and_outputs(&mut self) {
        for (name, local) in &self.module.locals {
            let node = Node::Local(name.clone());
            local.value.each_expr(&mut |expr| self.expr(expr, Place::Plain, Some(&node)));
        }
        for output in self.module.outputs.values() {
            self.expr(&output.value, Place::Plain, Some(&Node::Outputs));
            for rule in &output.preconditions {
                rule.each_expr(&mut |expr| self.expr(expr, Place::Plain, Some(&Node::Outputs)));
            }
        }
    }

    fn blocks(&mut self) {
        for (idx, block) in self.module.blocks.iter().enumerate() {
            let node = Node::Block(idx);
            match &block.repeat {
                Repeat::Once => {}
                Repeat::ForEach(expr) | Repeat::Count(expr) => self.expr(expr, Place::Plain, Some(&node)),
            }
            let place = Place::of(block);
            self.scope = block.scope.as_ref();
            block.each_expr(&mut |expr| self.expr(expr, place, Some(&node)));
            self.scope = None;
            for rule in &block.conditions.after {
                rule.each_expr(&mut |expr| self.postcondition(expr, place, &node));
            }
            for target in
                block.depends_on.iter().chain(block.replace_triggered_by.iter().map(|it| &it.target))
            {
                self.target(target, &node);
            }
            if let (Level::Inner, Some(cluster)) = (self.level, &block.cluster) {
                self.faults.push(
                    Diagnostic::error(CLUSTER_CHOICE, "a block in a module cannot choose a cluster")
                        .detail("Everything in a module belongs to the cluster of the block that uses the module.")
                        .at(cluster.span()),
                );
            }
        }
    }

    /// In a postcondition `self` is the object.
    fn postcondition(&mut self, expr: &Expr, place: Place, node: &Node) {
        let others = references(&expr.node).into_iter().filter(|reference| reference.root != "self");
        self.all(others, expr, (place, Some(node)));
    }

    fn checks(&mut self) {
        for (name, check) in &self.module.checks {
            self.scope = Some(name);
            for rule in &check.assertions {
                rule.each_expr(&mut |expr| self.expr(expr, Place::Plain, Some(&Node::Outputs)));
            }
        }
        self.scope = None;
    }

    fn validations(&mut self) {
        for variable in self.module.variables.values() {
            for validation in &variable.validations {
                self.expr(&validation.condition, Place::Validation, None);
                self.expr(&validation.message, Place::Validation, None);
            }
        }
    }

    fn imports(&mut self) {
        for import in &self.module.refactorings.imports {
            let place = match &import.repeat {
                Repeat::Once => Place::Plain,
                Repeat::ForEach(expr) | Repeat::Count(expr) => {
                    self.expr(expr, Place::Plain, Some(&Node::Outputs));
                    Place::Each
                }
            };
            import.to.each_expr(&mut |expr| self.expr(expr, place, Some(&Node::Outputs)));
            import.id.iter().for_each(|expr| self.expr(expr, place, Some(&Node::Outputs)));
        }
    }

    fn root(&mut self) {
        let root = &self.module.root;
        if let Some(settings) = &root.settings {
            let (remote, branch) = match &settings.state {
                Some(super::StateDeclaration::Git { remote, branch }) => (remote.as_ref(), branch.as_ref()),
                Some(super::StateDeclaration::Local { branch }) => (None, branch.as_ref()),
                None => (None, None),
            };
            for expr in settings.environment.iter().chain(&settings.adopt).chain(remote).chain(branch) {
                self.expr(expr, Place::Variables, None);
            }
        }
        for cluster in root.clusters.values() {
            let place = match &cluster.for_each {
                Some(_) => Place::VariablesEach,
                None => Place::Variables,
            };
            let arguments = cluster.context.iter().chain(&cluster.kubeconfig);
            for expr in arguments.chain(&cluster.sandbox).chain(&cluster.platform) {
                self.expr(expr, place, None);
            }
            if let Some(for_each) = &cluster.for_each {
                self.expr(for_each, Place::Variables, None);
            }
        }
        let waves: Vec<&Wave> = root.rollouts.values().flat_map(|rollout| &rollout.waves).collect();
        for wave in &waves {
            for expr in wave.soak.iter().chain(&wave.approval) {
                self.expr(expr, Place::Variables, None);
            }
            wave.checks.iter().for_each(|(check, span)| self.named_check(check, span));
        }
        let targets = root.clusters.values().flat_map(|cluster| &cluster.depends_on);
        for target in targets.chain(waves.into_iter().flat_map(|wave| &wave.clusters)) {
            if target.block_type != "cluster" || !root.clusters.contains_key(&target.name) {
                let what = format!("cluster.{}", target.name);
                let names = root.clusters.keys().map(Text::as_str);
                self.unknown(&what, &target.name, names, target.span.clone());
            }
        }
    }

    /// Follows the address of a check through the modules that are used. Which instances there are is known only
    /// when they are evaluated.
    fn named_check(&mut self, address: &Address, span: &SourceSpan) {
        let Some((check, outer)) = address.steps().split_last() else { return };
        let mut module = self.module;
        let reached = outer.iter().all(|step| {
            let found = module.find(&step.block_type, &step.name).map(|idx| &module.blocks[idx].body);
            match found {
                Some(Body::Module { module: used, .. }) => {
                    module = used;
                    true
                }
                _ => false,
            }
        });
        let is_check = check.block_type == "check" && check.key.is_none();
        if !reached || !is_check || !module.checks.contains_key(&check.name) {
            let names = module.checks.keys().map(Text::as_str);
            self.unknown(&address.to_string(), &check.name, names, span.clone());
        }
    }

    fn target(&mut self, target: &Target, node: &Node) {
        match self.module.find(&target.block_type, &target.name) {
            Some(idx) => self.edges.push(Edge {
                dependent: node.clone(),
                dependency: Node::Block(idx),
                span: target.span.clone(),
                how: "depends_on",
            }),
            None => self.unknown_block(&target.block_type, &target.name, target.span.clone()),
        }
    }

    fn expr(&mut self, expr: &Expr, place: Place, node: Option<&Node>) {
        self.all(references(&expr.node).into_iter(), expr, (place, node));
    }

    fn all(
        &mut self,
        references: impl Iterator<Item = Reference>,
        expr: &Expr,
        (place, node): (Place, Option<&Node>),
    ) {
        for reference in references {
            if expr.bound.contains(&reference.root) {
                continue;
            }
            let span = SourceSpan::new(Arc::clone(&expr.file), reference.range.clone());
            if let (Some(dependency), Some(node)) = (self.reference(&reference, place, &span), node) {
                self.edges.push(Edge { dependent: node.clone(), dependency, span, how: REFERS });
            }
        }
    }

    /// Checks one reference; returns the local or block it goes to.
    fn reference(&mut self, reference: &Reference, place: Place, span: &SourceSpan) -> Option<Node> {
        let variables_only = matches!(place, Place::Variables | Place::VariablesEach);
        let first = reference.steps.first().and_then(attribute);
        match reference.root.as_str() {
            "var" => self.variable(first, span),
            "each" if matches!(place, Place::Each | Place::VariablesEach) => {
                self.member("each", first, &["key", "value"], span);
            }
            "count" if place == Place::Count => self.member("count", first, &["index"], span),
            "each" => self.misplaced("each", "the block has no for_each", span),
            "count" => self.misplaced("count", "the block has no count", span),
            "path" if !variables_only => self.member("path", first, &["module", "root"], span),
            root if variables_only => {
                self.misplaced(root, "only variables can be used here", span);
            }
            "terrane" => self.member("terrane", first, &["environment"], span),
            "repository" => self.member("repository", first, &["revision", "url"], span),
            "self" if self.level == Level::Inner => self.member("self", first, &["key", "name"], span),
            "self" => self.misplaced("self", "the environment is used by no block", span),
            "cluster" => self.cluster(first, span),
            root if place == Place::Validation => {
                self.misplaced(root, "a validation rule sees variables only", span);
            }
            "local" => return self.local(first, span),
            "read" => return self.read(&reference.steps, span),
            root => return self.resource(root, reference, span),
        }
        None
    }

    fn variable(&mut self, name: Option<&Text>, span: &SourceSpan) {
        if !name.is_some_and(|name| self.module.variables.contains_key(name)) {
            let names = self.module.variables.keys().map(Text::as_str);
            let name = name.map_or("", Text::as_str);
            self.unknown(&format!("variable {name:?}"), name, names, span.clone());
        }
    }

    fn local(&mut self, name: Option<&Text>, span: &SourceSpan) -> Option<Node> {
        if let Some(name) = name.filter(|name| self.module.locals.contains_key(*name)) {
            return Some(Node::Local(name.clone()));
        }
        let names = self.module.locals.keys().map(Text::as_str);
        let name = name.map_or("", Text::as_str);
        self.unknown(&format!("local {name:?}"), name, names, span.clone());
        None
    }

    fn cluster(&mut self, name: Option<&Text>, span: &SourceSpan) {
        if self.level == Level::Inner {
            return self.member("cluster", name, &["name", "platform"], span);
        }
        let clusters = &self.module.root.clusters;
        if !name.is_some_and(|name| clusters.contains_key(name)) {
            let names = clusters.keys().map(Text::as_str);
            let name = name.map_or("", Text::as_str);
            self.unknown(&format!("cluster {name:?}"), name, names, span.clone());
        }
    }

    fn read(&mut self, steps: &[Step], span: &SourceSpan) -> Option<Node> {
        let names: Vec<&Text> = steps.iter().take(2).filter_map(attribute).collect();
        let name = match names[..] {
            [kind, name] => format!("{kind}.{name}"),
            _ => names.first().map_or_else(String::new, ToString::to_string),
        };
        let Some(found) = self.module.find("read", &name) else {
            self.unknown_block("read", &name, span.clone());
            return None;
        };
        if let Some(check) =
            self.module.blocks[found].scope.as_ref().filter(|check| self.scope != Some(check))
        {
            let why = format!("it belongs to check {check:?}");
            self.misplaced(&format!("read.{name}"), &why, span);
        }
        Some(Node::Block(found))
    }

    fn resource(&mut self, root: &str, reference: &Reference, span: &SourceSpan) -> Option<Node> {
        let Some(name) = reference.steps.first().and_then(attribute) else {
            self.no_such_root(root, span);
            return None;
        };
        let found = self.module.find(root, name).map(Node::Block);
        match found {
            Some(Node::Block(idx)) => self.deprecated(idx, &reference.steps[1..], span),
            _ => self.unknown_block(root, name, span.clone()),
        }
        found
    }

    /// Warns about an output that its module says should no longer be used.
    fn deprecated(&mut self, idx: usize, steps: &[Step], span: &SourceSpan) {
        let Body::Module { module, .. } = &self.module.blocks[idx].body else { return };
        let Some(name) = steps.iter().find_map(attribute) else { return };
        let output = module.outputs.get(name);
        if let Some((output, why)) = output.and_then(|output| Some((output, output.deprecated.as_ref()?))) {
            self.faults.push(
                Diagnostic::warning(DEPRECATED, format!("output {name} is deprecated: {why}"))
                    .at(span.clone())
                    .label(output.span.clone(), "the output"),
            );
        }
    }

    fn no_such_root(&mut self, root: &str, span: &SourceSpan) {
        let hint = if self.module.variables.contains_key(root) {
            format!("did you mean var.{root}?")
        } else if self.module.locals.contains_key(root) {
            format!("did you mean local.{root}?")
        } else if self.module.index.contains_key(root) {
            format!("name one: {root}.NAME")
        } else {
            format!("text is written in quotes: \"{root}\"")
        };
        self.faults.push(
            Diagnostic::error(UNKNOWN_REFERENCE, format!("{root} stands for nothing"))
                .at(span.clone())
                .hint(hint),
        );
    }

    fn unknown_block(&mut self, block_type: &str, name: &str, span: SourceSpan) {
        if self.faulty.contains(&format!("{block_type}.{name}")) {
            return;
        }
        let what = format!("block {block_type} {name:?}");
        match self.module.index.get(block_type) {
            Some(names) => {
                let mut names: Vec<&str> = names.keys().map(Text::as_str).collect();
                names.sort_unstable();
                self.unknown(&what, name, names.into_iter(), span);
            }
            None => {
                let mut types: Vec<&str> = self.module.index.keys().map(Text::as_str).collect();
                types.extend(["var", "local", "each", "cluster", "path", "terrane"]);
                types.sort_unstable();
                let foreign = foreign::reference(block_type).map(str::to_owned);
                let hint = foreign.or_else(|| did_you_mean(block_type, types));
                let mut fault = Diagnostic::error(UNKNOWN_REFERENCE, format!("there is no {what}")).at(span);
                fault.hint = hint;
                self.faults.push(fault);
            }
        }
    }

    fn unknown<'n>(
        &mut self,
        what: &str,
        name: &str,
        names: impl Iterator<Item = &'n str> + Clone,
        span: SourceSpan,
    ) {
        let known: Vec<&str> = names.clone().collect();
        let hint = did_you_mean(name, names).unwrap_or_else(|| match known.len() {
            0 => "none is declared here".to_owned(),
            _ => format!("declared are {}", known.join(", ")),
        });
        self.faults
            .push(Diagnostic::error(UNKNOWN_REFERENCE, format!("there is no {what}")).at(span).hint(hint));
    }

    fn member(&mut self, root: &str, name: Option<&Text>, members: &[&str], span: &SourceSpan) {
        if name.is_some_and(|name| members.contains(&name.as_str())) {
            return;
        }
        let what = name.map_or_else(|| root.to_owned(), |name| format!("{root}.{name}"));
        let all: Vec<String> = members.iter().map(|member| format!("{root}.{member}")).collect();
        self.faults.push(
            Diagnostic::error(UNKNOWN_REFERENCE, format!("{what} stands for nothing"))
                .at(span.clone())
                .hint(format!("there is {}", all.join(" and "))),
        );
    }

    fn misplaced(&mut self, root: &str, why: &str, span: &SourceSpan) {
        let mut fault = Diagnostic::error(MISPLACED_REFERENCE, format!("{root} cannot be used here: {why}"))
            .at(span.clone());
        fault.hint = match root {
            "each" => Some("add `for_each = …` to the block, or write the value itself".to_owned()),
            "count" => Some("add `count = …` to the block, or write the value itself".to_owned()),
            _ => None,
        };
        self.faults.push(fault);
    }
}

fn attribute(step: &Step) -> Option<&Text> {
    match &step.kind {
        StepKind::Attribute(name) => Some(name),
        StepKind::Index(_) => None,
    }
}
