//! `moved`, `removed` and `import`: collected while modules are evaluated, checked against the finished graph.

use std::collections::{BTreeMap, BTreeSet};

use engine_core::address::Address;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::graph::{Node, ResourceGraph};
use engine_core::manifest::Manifest;
use engine_core::refactoring::{Import, Moved, Refactoring, Removed};

use super::scope::Uses;
use super::{Frame, Walk};
use crate::codes::{DUPLICATE, IMPORT, INVALID_ARGUMENT, MOVED, REMOVED};
use crate::module::{Expr, ImportDeclaration, typed};
use crate::types::Type;

/// How many objects a message names.
const NAMED: usize = 5;

impl Walk<'_> {
    /// Notes the blocks of a module instance, with addresses of the environment.
    pub(super) fn refactor(&mut self, frame: &Frame<'_>) {
        let declared = &frame.module.refactorings;
        let module = frame.address.as_ref();
        self.builder.refactoring.moves.extend(declared.moves.iter().map(|moved| Moved {
            from: moved.from.inside(module),
            to: moved.to.inside(module),
            spans: moved.spans.clone(),
        }));
        let removals = declared.removals.iter();
        self.builder
            .refactoring
            .removals
            .extend(removals.map(|it| Removed { from: it.from.inside(module), ..it.clone() }));
        for import in &declared.imports {
            // With what is read before the plan, addresses may come out that are not known yet.
            if self.is_provisional() {
                return;
            }
            if let Err(faults) = self.import(frame, import) {
                self.faults.extend(faults);
            }
        }
    }

    fn import(&mut self, frame: &Frame<'_>, declared: &ImportDeclaration) -> Result<(), Diagnostics> {
        let Some(keys) = self.keys(frame, &declared.repeat, &mut Uses::default())? else {
            return Ok(());
        };
        for (_, repeated) in keys {
            let mut evaluate = |expr: &Expr| self.expr(frame, expr, &repeated, &mut Uses::default());
            let to = declared.to.resolve(&mut evaluate)?;
            let id = match &declared.id {
                None => None,
                Some(expr) => {
                    let value = typed(&evaluate(expr)?, &Type::String, "id", expr)?;
                    let text = value.as_text().filter(|_| !value.is_sensitive());
                    let fault = || {
                        Diagnostic::error(
                            INVALID_ARGUMENT,
                            "id must be known before the plan, and not sensitive",
                        )
                        .at(expr.span())
                    };
                    Some(text.cloned().ok_or_else(fault)?)
                }
            };
            let import = Import { id, span: declared.to.span.clone() };
            let imports = &mut self.builder.refactoring.imports;
            if let Some(first) = imports.insert(to.clone(), import) {
                return Err(Diagnostic::error(DUPLICATE, format!("{to} is imported twice"))
                    .at(declared.to.span.clone())
                    .label(first.span, "first imported here")
                    .into());
            }
        }
        Ok(())
    }
}

/// Checks the blocks of an environment against what it declares.
pub(crate) fn check(graph: &ResourceGraph) -> Diagnostics {
    let refactoring = graph.refactoring();
    let mut faults = Diagnostics::default();
    if *refactoring == Refactoring::default() {
        return faults;
    }
    let starts = graph.nodes_in_order().filter_map(|(_, node)| match node {
        Node::Start(address) => Some(address.clone()),
        _ => None,
    });
    let mut checker = Checker { graph, refactoring, blocks: starts.collect(), faults: &mut faults };
    checker.moves();
    checker.removals();
    checker.imports();
    faults
}

struct Checker<'a> {
    graph: &'a ResourceGraph,
    refactoring: &'a Refactoring,
    blocks: BTreeSet<Address>,
    faults: &'a mut Diagnostics,
}

impl Checker<'_> {
    fn moves(&mut self) {
        let (mut froms, mut tos) = (BTreeMap::new(), BTreeMap::new());
        for moved in &self.refactoring.moves {
            let (from_span, to_span) = &moved.spans;
            let ends = [
                (froms.insert(&moved.from, from_span), from_span, format!("{} is moved twice", moved.from)),
                (tos.insert(&moved.to, to_span), to_span, format!("two blocks move to {}", moved.to)),
            ];
            for (first, span, summary) in ends {
                if let Some(first) = first {
                    let fault = Diagnostic::error(MOVED, summary).at(span.clone());
                    self.faults.push(
                        fault
                            .label(first.clone(), "first named here")
                            .hint("an object can come from one address and go to one"),
                    );
                }
            }
            if self.returns(moved) {
                self.faults.push(
                    Diagnostic::error(MOVED, format!("{} is moved in a circle", moved.from))
                        .at(from_span.clone())
                        .hint("remove a block of the circle"),
                );
                continue;
            }
            self.ends(moved);
        }
    }

    /// Checks that a move starts at what is gone and ends at what is there.
    fn ends(&mut self, moved: &Moved) {
        let Moved { from, to, spans: (from_span, to_span) } = moved;
        let whole = key_is_missing(from) && key_is_missing(to);
        if self.is_declared(from, whole) {
            self.faults.push(
                Diagnostic::error(MOVED, format!("{from} is moved and still declared"))
                    .at(from_span.clone())
                    .hint("remove the block that declares it, or the moved block"),
            );
        }
        let moves_on = self.refactoring.moves.iter().any(|it| to.relocated(&it.from, &it.to).is_some());
        let is_removed = self.refactoring.removals.iter().any(|removed| to.is_within(&removed.from));
        if !moves_on && !is_removed && !self.is_declared(to, whole) {
            self.faults.push(
                Diagnostic::error(MOVED, format!("{from} is moved to {to}, which is not declared"))
                    .at(to_span.clone())
                    .hint("declare it, correct the address, or remove the moved block"),
            );
        }
    }

    /// Tells whether what is moved comes back to where it was.
    fn returns(&self, moved: &Moved) -> bool {
        let mut at = moved.to.clone();
        for _ in 0..=self.refactoring.moves.len() {
            if at == moved.from {
                return true;
            }
            match self.refactoring.moves.iter().find_map(|it| at.relocated(&it.from, &it.to)) {
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }

    fn removals(&mut self) {
        let mut known: BTreeMap<&Address, &SourceSpan> = BTreeMap::new();
        for Removed { from, span, .. } in &self.refactoring.removals {
            if let Some(first) = known.insert(from, span) {
                self.faults.push(
                    Diagnostic::error(REMOVED, format!("{from} is removed twice"))
                        .at(span.clone())
                        .label(first.clone(), "first removed here"),
                );
            }
            if self.is_declared(from, key_is_missing(from)) {
                self.faults.push(
                    Diagnostic::error(REMOVED, format!("{from} is removed and still declared"))
                        .at(span.clone())
                        .hint("remove the block that declares it, or the removed block"),
                );
            }
        }
    }

    fn imports(&mut self) {
        for (to, import) in &self.refactoring.imports {
            let Some(manifest) = self.graph.at(to).and_then(|resource| resource.manifest()) else {
                let fault = Diagnostic::error(IMPORT, format!("{to} does not declare an object to import"))
                    .at(import.span.clone());
                self.faults.push(fault.hint(self.instead_of(to)));
                continue;
            };
            let Some(id) = &import.id else { continue };
            let ids = ids(manifest);
            if !ids.iter().any(|known| known == id.as_str()) {
                let summary = format!("{to} declares another object than {id:?}");
                self.faults.push(
                    Diagnostic::error(IMPORT, summary)
                        .detail(format!("It declares {}.", manifest.object_ref()))
                        .at(import.span.clone())
                        .hint(format!("write `id = {:?}`, or leave id out", ids[0])),
                );
            }
        }
    }

    /// Names the objects at or below an address that is none of an object itself.
    fn instead_of(&self, to: &Address) -> String {
        let inside = self.graph.resources().iter().filter(|resource| resource.address.is_within(to));
        let names: Vec<String> =
            inside.take(NAMED).map(|resource| format!("`to = {}`", resource.address)).collect();
        match names.is_empty() {
            true => "declare the object first: an import takes over what a block declares".into(),
            false => format!("name one object: {}", names.join(", ")),
        }
    }

    /// Tells whether there is a block, or with a key or not `whole` an instance, at an address.
    fn is_declared(&self, address: &Address, whole: bool) -> bool {
        if self.graph.at(address).is_some() {
            return true;
        }
        let is_group = || {
            let keyed = self.blocks.range(address.clone()..).take_while(|it| it.is_within(address));
            keyed.into_iter().any(|it| it != address && it.steps().len() == address.steps().len())
        };
        self.blocks.contains(address) && (whole || !key_is_missing(address) || !is_group())
    }
}

/// Returns how an object may be called in an import: `v1/ConfigMap/dev/settings`, or as a state lists it.
fn ids(manifest: &Manifest) -> [String; 2] {
    let object_ref = manifest.object_ref();
    let name = match &object_ref.namespace {
        Some(namespace) => format!("{namespace}/{}", object_ref.name),
        None => object_ref.name.to_string(),
    };
    [format!("{}/{}/{name}", manifest.api_version(), object_ref.kind.kind), object_ref.key()]
}

fn key_is_missing(address: &Address) -> bool {
    address.steps().last().is_some_and(|step| step.key.is_none())
}
