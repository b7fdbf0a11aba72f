//! From the parsed files of a directory to a [`Module`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::Span;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use super::fields::{Name, head_span, twice};
use super::link::{Found, Linker};
use super::refactoring::Refactorings;
use super::remote::source_of;
use super::resource::{PRIMITIVES, RESERVED, Resources, instead_of};
use super::{Checks, Declaration, Local, Module, Output, Root, Variable};
use super::{conditions, references, settings, values};
use crate::codes::{ROOT_ONLY, UNKNOWN_ARGUMENT, UNKNOWN_BLOCK, UNSUPPORTED};
use crate::eval::did_you_mean;
use crate::foreign;
use crate::templates::Templates;

/// Block types that are not resources.
const KEYWORDS: [&str; 12] = [
    "check", "cluster", "import", "locals", "module", "moved", "output", "read", "removed", "rollout",
    "terrane", "variable",
];

/// Where a module stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The environment itself.
    Root,
    /// Used by a block.
    Inner,
}

/// What has been decoded of a module.
#[derive(Default)]
struct Parts {
    variables: BTreeMap<Text, Variable>,
    locals: BTreeMap<Text, Local>,
    outputs: BTreeMap<Text, Output>,
    blocks: Vec<Declaration>,
    checks: Checks,
    refactorings: Refactorings,
    /// Blocks with faults, as `TYPE.NAME`: references to them are no further faults.
    faulty: HashSet<String>,
    root: Root,
}

/// A file and its contents.
pub(super) type Parsed = (Arc<SourceFile>, Body);

/// Decodes the files of one module and links its blocks to the modules they use.
pub(super) fn decode(
    files: Vec<Parsed>,
    (directory, templates): (String, Templates),
    level: Level,
    linker: &mut Linker<'_>,
    faults: &mut Diagnostics,
) -> Module {
    if level == Level::Root {
        let terrane =
            files.iter().flat_map(|(file, body)| body.get_blocks("terrane").map(move |block| (file, block)));
        let overrides: BTreeSet<Text> = terrane
            .flat_map(|(file, block)| settings::overrides(block, file, &linker.constants, faults))
            .collect();
        linker.prefer(overrides);
    }
    let mut decoder = Decoder { parts: Parts::default(), level, linker, faults };
    for (file, body) in files {
        for structure in body {
            match structure {
                Structure::Block(block) => decoder.block(block, &file),
                Structure::Attribute(attribute) => {
                    let span = SourceSpan::new(Arc::clone(&file), attribute.key.span().unwrap_or_default());
                    let summary = format!("argument {} stands outside of any block", attribute.key.as_str());
                    decoder.faults.push(Diagnostic::error(UNKNOWN_ARGUMENT, summary).at(span));
                }
            }
        }
    }
    finish(decoder.parts, (directory, templates), level, faults)
}

fn finish(
    parts: Parts,
    (directory, templates): (String, Templates),
    level: Level,
    faults: &mut Diagnostics,
) -> Module {
    let mut index: HashMap<Text, HashMap<Text, usize>> = HashMap::new();
    for (idx, block) in parts.blocks.iter().enumerate() {
        let names = index.entry(block.block_type.clone()).or_default();
        if let Some(first) = names.insert(block.name.clone(), idx) {
            let what = format!("{} {:?}", block.block_type, block.name);
            faults.push(twice(&what, block.span.clone(), parts.blocks[first].span.clone()));
        }
    }
    let mut module = Module {
        directory,
        variables: parts.variables,
        locals: parts.locals,
        outputs: parts.outputs,
        blocks: parts.blocks,
        index,
        root: parts.root,
        checks: parts.checks,
        refactorings: parts.refactorings,
        templates,
        order: Vec::new(),
    };
    references::check(&mut module, level, &parts.faulty, faults);
    module
}

struct Decoder<'a, 'l> {
    parts: Parts,
    level: Level,
    linker: &'a mut Linker<'l>,
    faults: &'a mut Diagnostics,
}

impl Decoder<'_, '_> {
    fn block(&mut self, block: Block, file: &Arc<SourceFile>) {
        let names = std::iter::once(block.ident.as_str()).chain(block.labels.iter().map(BlockLabel::as_str));
        let title = names.collect::<Vec<_>>().join(".");
        let (known, faults) = (self.parts.blocks.len(), self.faults.len());
        self.decode(block, file);
        if self.faults.len() > faults && self.parts.blocks.len() == known {
            self.parts.faulty.insert(title);
        }
    }

    fn decode(&mut self, block: Block, file: &Arc<SourceFile>) {
        match block.ident.as_str() {
            "variable" => {
                let found = values::variable(block, file, &self.linker.constants, self.faults);
                insert(&mut self.parts.variables, found, "variable", |v| &v.span, self.faults);
            }
            "locals" => values::locals(block, file, &mut self.parts.locals, self.faults),
            "output" => {
                let found = values::output(block, file, (self.level, &self.linker.constants), self.faults);
                insert(&mut self.parts.outputs, found, "output", |o| &o.span, self.faults);
            }
            "check" => {
                let found = conditions::check(block, file, &self.linker.constants, self.faults);
                if let Some((name, check, read)) = found {
                    self.parts.blocks.extend(read);
                    insert(&mut self.parts.checks, Some((name, check)), "check", |c| &c.span, self.faults);
                }
            }
            "terrane" | "cluster" | "rollout" => self.root_block(block, file),
            "module" => self.remote(block, file),
            "read" => {
                let read = self.resources(file, |resources| resources.read(block));
                self.parts.blocks.extend(read);
            }
            "import" if self.level == Level::Inner => self.root_only(&block, head_span(&block, file)),
            "moved" | "removed" | "import" => {
                self.parts.refactorings.decode(block, file, &self.linker.constants, self.faults);
            }
            block_type if PRIMITIVES.contains(&block_type) => {
                let primitive = self.resources(file, |resources| resources.primitive(block));
                self.parts.blocks.extend(primitive);
            }
            block_type if RESERVED.contains(&block_type) => self.faults.push(
                Diagnostic::error(UNSUPPORTED, format!("block {block_type} is not supported yet"))
                    .at(head_span(&block, file))
                    .hint(instead_of(block_type)),
            ),
            _ => self.module(block, file),
        }
    }

    fn resources(
        &mut self,
        file: &Arc<SourceFile>,
        decode: impl FnOnce(&mut Resources<'_>) -> Option<Declaration>,
    ) -> Option<Declaration> {
        decode(&mut Resources { constants: &self.linker.constants, file, faults: self.faults })
    }

    fn root_only(&mut self, block: &Block, span: SourceSpan) {
        let summary = format!("block {} in a module", block.ident.as_str());
        self.faults.push(
            Diagnostic::error(ROOT_ONLY, summary).detail("Only the environment itself declares it.").at(span),
        );
    }

    fn root_block(&mut self, block: Block, file: &Arc<SourceFile>) {
        let span = head_span(&block, file);
        if self.level == Level::Inner {
            self.root_only(&block, span);
        } else if block.has_ident("cluster") {
            let found = settings::cluster(block, file, self.faults);
            insert(&mut self.parts.root.clusters, found, "cluster", |c| &c.span, self.faults);
        } else if block.has_ident("rollout") {
            let found = settings::rollout(block, file, &self.linker.constants, self.faults);
            insert(&mut self.parts.root.rollouts, found, "rollout", |r| &r.span, self.faults);
        } else {
            let found = settings::settings(block, file, self.faults);
            match (&self.parts.root.settings, found) {
                (Some(first), Some(second)) => {
                    self.faults.push(twice("block terrane", second.span, first.span.clone()));
                }
                (None, found) => self.parts.root.settings = found,
                (Some(_), None) => {}
            }
        }
    }

    /// Decodes a use of a module of another repository.
    fn remote(&mut self, block: Block, file: &Arc<SourceFile>) {
        let span = head_span(&block, file);
        let source = source_of(&block, (file, &span), &self.linker.constants, self.faults);
        let found = source.map(|source| self.linker.find_remote(&source, &span, self.faults));
        match found {
            Some(Found::Module(module)) => self.declare(block, file, module),
            _ => self.faulty(&block),
        }
    }

    fn declare(&mut self, block: Block, file: &Arc<SourceFile>, module: Arc<Module>) {
        let declaration = self.resources(file, |resources| resources.module(block, module));
        self.parts.blocks.extend(declaration);
    }

    /// Notes a block as faulty although its faults may have been reported with an earlier block.
    fn faulty(&mut self, block: &Block) {
        let names = block.labels.iter().map(BlockLabel::as_str);
        let title: Vec<&str> = std::iter::once(block.ident.as_str()).chain(names).collect();
        self.parts.faulty.insert(title.join("."));
    }

    /// Decodes a block whose type must be a module.
    fn module(&mut self, block: Block, file: &Arc<SourceFile>) {
        let span = head_span(&block, file);
        let block_type = Text::from(block.ident.as_str());
        match self.linker.find(&block_type, &span, self.faults) {
            Found::Module(module) => self.declare(block, file, module),
            Found::Broken => self.faulty(&block),
            Found::Nothing => {
                let modules = self.linker.names();
                let known =
                    KEYWORDS.iter().chain(&PRIMITIVES).copied().chain(modules.iter().map(String::as_str));
                let foreign = foreign::block(&block_type).map(str::to_owned);
                let hint = foreign
                    .or_else(|| did_you_mean(&block_type, known))
                    .unwrap_or_else(|| format!("there are the modules {}", modules.join(", ")));
                let summary = format!("there is no block type {block_type}");
                self.faults.push(Diagnostic::error(UNKNOWN_BLOCK, summary).at(span).hint(hint));
            }
        }
    }
}

fn insert<T>(
    found: &mut BTreeMap<Text, T>,
    new: Option<(Name, T)>,
    what: &str,
    span: impl Fn(&T) -> &SourceSpan,
    faults: &mut Diagnostics,
) {
    let Some((name, value)) = new else { return };
    match found.get(&name.text) {
        Some(first) => {
            let what = format!("{what} {:?}", name.text);
            faults.push(twice(&what, span(&value).clone(), span(first).clone()));
        }
        None => {
            found.insert(name.text, value);
        }
    }
}
