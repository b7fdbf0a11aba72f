//! Finding the module that a block type stands for: `modules/TYPE` of the repository, then of the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, Severity, SourceFile, SourceSpan};
use engine_core::digest::Digest;
use engine_core::value::Text;
use include_dir::{Dir, include_dir};
use rayon::prelude::*;

use super::constant::Constants;
use super::decode::{Level, Parsed, decode};
use super::{Module, Remotes};
use crate::codes::{NO_DEFINITION, RECURSION, SHADOWED, VARIABLE_TYPE};
use crate::module_source::ModuleSource;
use crate::source::Files;
use crate::syntax::parse;
use crate::templates::Templates;

/// The modules that come with the binary.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../modules");

/// The directory of the repository that holds its own modules.
const MODULES: &str = "modules";

/// The directory of a module that holds its templates.
const TEMPLATES: &str = "templates";

/// How deep modules may use modules.
pub(crate) const MAX_DEPTH: usize = 16;

/// Loads modules, each once.
pub(crate) struct Linker<'a> {
    files: &'a Files,
    pub(super) remotes: &'a Remotes,
    pub(super) constants: Constants,
    overrides: BTreeSet<Text>,
    /// `None` for a module with faults, reported once.
    loaded: BTreeMap<Text, Option<Arc<Module>>>,
    /// Modules being loaded, outermost first.
    open: Vec<Text>,
    /// The repository whose module is being loaded, if it is another one.
    tree: Option<PathBuf>,
}

/// What a block type stands for.
pub(super) enum Found {
    Module(Arc<Module>),
    /// A module whose faults have been reported.
    Broken,
    Nothing,
}

impl<'a> Linker<'a> {
    pub(crate) fn new(files: &'a Files, remotes: &'a Remotes) -> Self {
        Self {
            files,
            remotes,
            constants: Constants::new(),
            overrides: BTreeSet::new(),
            loaded: BTreeMap::new(),
            open: Vec::new(),
            tree: None,
        }
    }

    /// Loads the root module of a directory, with everything it uses, and returns it with such faults as do not
    /// keep it from being evaluated.
    pub(crate) fn root(&mut self, directory: &Path) -> Result<(Module, Diagnostics), Diagnostics> {
        let sources = self.sources(directory)?;
        if sources.definitions.is_empty() {
            let summary = format!("{} holds no definition", directory.display());
            return Err(Diagnostic::error(NO_DEFINITION, summary)
                .detail("A definition is a directory with files that end in .hcl, or in .hcl.json.")
                .hint("name the directory of an environment")
                .into());
        }
        let (parsed, templates) = sources.read()?;
        let relative = self.files.relative(directory)?;
        let mut faults = Diagnostics::default();
        let module = decode(parsed, (relative, templates), Level::Root, self, &mut faults);
        // A default of the wrong type leaves a definition that can be evaluated.
        if faults.iter().all(|fault| fault.code == VARIABLE_TYPE || fault.severity == Severity::Warning) {
            Ok((module, faults))
        } else {
            Err(faults)
        }
    }

    /// Says for which block types the repository's own module is taken although there is one in the binary.
    pub(super) fn prefer(&mut self, overrides: BTreeSet<Text>) {
        self.overrides = overrides;
    }

    /// Returns the names of all modules, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let embedded = EMBEDDED.dirs().filter_map(|dir| dir.path().file_name()?.to_str().map(str::to_owned));
        let own = self.files.names(&self.own()).unwrap_or_default();
        embedded.chain(own).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the module that a block type stands for.
    pub(super) fn find(&mut self, name: &Text, span: &SourceSpan, faults: &mut Diagnostics) -> Found {
        let key = match &self.tree {
            Some(tree) => format!("{name} of {}", tree.display()).into(),
            None => name.clone(),
        };
        self.once(&key, span, faults, |linker, found| linker.load(name, span, found))
    }

    /// Returns the module of another repository.
    pub(super) fn find_remote(
        &mut self,
        source: &ModuleSource,
        span: &SourceSpan,
        faults: &mut Diagnostics,
    ) -> Found {
        let key = source.to_string().into();
        self.once(&key, span, faults, |linker, found| linker.load_remote(source, span, found))
    }

    fn once(
        &mut self,
        name: &Text,
        span: &SourceSpan,
        faults: &mut Diagnostics,
        load: impl FnOnce(&mut Self, &mut Diagnostics) -> Option<Module>,
    ) -> Found {
        if self.open.contains(name) || self.open.len() >= MAX_DEPTH {
            let chain = self.open.join(" uses ");
            faults.push(
                Diagnostic::error(RECURSION, format!("module {name} uses itself"))
                    .detail(format!("{chain} uses {name}."))
                    .at(span.clone()),
            );
            return Found::Broken;
        }
        if let Some(loaded) = self.loaded.get(name) {
            return loaded.clone().map_or(Found::Broken, Found::Module);
        }
        let mut found = Diagnostics::default();
        self.open.push(name.clone());
        let module = load(self, &mut found);
        self.open.pop();
        let broken = found.has_errors();
        faults.extend(found);
        let Some(module) = module.filter(|_| !broken).map(Arc::new) else {
            if broken {
                self.loaded.insert(name.clone(), None);
                return Found::Broken;
            }
            return Found::Nothing;
        };
        self.loaded.insert(name.clone(), Some(Arc::clone(&module)));
        Found::Module(module)
    }

    /// Reads a module; `None` without a fault means that there is none of this name.
    fn load(&mut self, name: &Text, span: &SourceSpan, faults: &mut Diagnostics) -> Option<Module> {
        let own = self.own().join(name.as_str());
        let embedded = EMBEDDED.get_dir(name.as_str());
        let is_own = own.is_dir();
        let own_sources = is_own.then(|| self.sources(&own));
        let is_other = |dir| !matches!(&own_sources, Some(Ok(own)) if own.same(&Sources::of_embedded(dir)));
        let is_meant = self.tree.is_none() && self.overrides.contains(name);
        if is_own && embedded.is_some_and(is_other) && !is_meant {
            faults.push(
                Diagnostic::error(SHADOWED, format!("module {name} is in the repository and in the binary"))
                    .at(span.clone())
                    .hint(format!("to use the repository's own: terrane {{ override = [{name:?}] }}")),
            );
            return None;
        }
        let (sources, directory) = match (own_sources, embedded) {
            (Some(sources), _) => {
                let directory = self.files.relative(&own).map_err(|found| faults.extend(found)).ok()?;
                (sources, directory)
            }
            (None, Some(dir)) => (Ok(self.embedded(dir)), format!("<embedded>/{name}")),
            (None, None) => return None,
        };
        let (parsed, templates) =
            sources.and_then(Sources::read).map_err(|found| faults.extend(found)).ok()?;
        Some(decode(parsed, (directory, templates), Level::Inner, self, faults))
    }

    /// Reads the module of another repository. The blocks in it stand for modules of that repository.
    fn load_remote(
        &mut self,
        source: &ModuleSource,
        span: &SourceSpan,
        faults: &mut Diagnostics,
    ) -> Option<Module> {
        let read = || {
            let tree = self.remotes.tree(source, span)?;
            let directory = tree.join(source.directory.as_str());
            let sources = if directory.is_dir() { self.sources(&directory)? } else { Sources::default() };
            if sources.definitions.is_empty() {
                return Err(Diagnostic::error(NO_DEFINITION, format!("{source} holds no definition"))
                    .at(span.clone())
                    .hint("name the directory of a module: `…//DIRECTORY?ref=…`")
                    .into());
            }
            let relative = self.files.relative(&directory)?;
            Ok((tree, relative, sources.read()?))
        };
        let (tree, relative, (parsed, templates)) =
            read().map_err(|found: Diagnostics| faults.extend(found)).ok()?;
        let outer = self.tree.replace(tree);
        let module = decode(parsed, (relative, templates), Level::Inner, self, faults);
        self.tree = outer;
        Some(module)
    }

    fn own(&self) -> PathBuf {
        self.tree.as_deref().unwrap_or(self.files.root()).join(MODULES)
    }

    fn sources(&self, directory: &Path) -> Result<Sources, Diagnostics> {
        let mut sources = Sources::default();
        let mut faults = Diagnostics::default();
        for name in self.files.definitions(directory)? {
            match self.files.text(&directory.join(name)) {
                Ok(file) => sources.definitions.push(file),
                Err(found) => faults.extend(found),
            }
        }
        for name in self.files.names(&directory.join(TEMPLATES))? {
            if name.ends_with(".tera") {
                let name = format!("{TEMPLATES}/{name}");
                match self.files.text(&directory.join(&name)) {
                    Ok(file) => drop(sources.templates.insert(name, file)),
                    Err(found) => faults.extend(found),
                }
            }
        }
        if faults.is_empty() { Ok(sources) } else { Err(faults) }
    }

    fn embedded(&self, dir: &Dir<'_>) -> Sources {
        let sources = Sources::of_embedded(dir);
        for file in sources.definitions.iter().chain(sources.templates.values()) {
            self.files.note(file.path.clone(), Digest::of_bytes(file.text.as_bytes()));
        }
        sources
    }
}

/// The files of a module.
#[derive(Default)]
struct Sources {
    /// In the order of their names.
    definitions: Vec<Arc<SourceFile>>,
    /// By path from the module's directory.
    templates: BTreeMap<String, Arc<SourceFile>>,
}

impl Sources {
    fn of_embedded(dir: &Dir<'_>) -> Self {
        let files = |dir: &Dir<'_>, extension: &'static str| {
            let files =
                dir.files().filter(move |file| file.path().extension().is_some_and(|e| e == extension));
            let files =
                files.filter_map(|file| Some((file.path().to_owned(), file.contents_utf8()?.to_owned())));
            files.collect::<Vec<_>>()
        };
        let source = |(path, text): (PathBuf, String)| {
            Arc::new(SourceFile { path: format!("<embedded>/{}", path.display()), text })
        };
        let templates =
            dir.get_dir(dir.path().join(TEMPLATES)).map(|dir| files(dir, "tera")).unwrap_or_default();
        Self {
            definitions: files(dir, "hcl").into_iter().map(source).collect(),
            templates: templates
                .into_iter()
                .filter_map(|(path, text)| {
                    let name = path.strip_prefix(dir.path()).ok()?.display().to_string();
                    Some((name, source((path, text))))
                })
                .collect(),
        }
    }

    /// Tells whether two modules have the same texts.
    fn same(&self, other: &Self) -> bool {
        let texts = |sources: &Self| -> Vec<String> {
            let files = sources.definitions.iter().chain(sources.templates.values());
            files.map(|file| file.text.clone()).collect()
        };
        texts(self) == texts(other)
    }

    fn read(self) -> Result<(Vec<Parsed>, Templates), Diagnostics> {
        let parsed = parse_all(self.definitions);
        let templates = Templates::new(self.templates);
        match (parsed, templates) {
            (Ok(parsed), Ok(templates)) => Ok((parsed, templates)),
            (parsed, templates) => Err(parsed.err().into_iter().chain(templates.err()).flatten().collect()),
        }
    }
}

/// Parses on all cores: of a large definition it takes most of the time.
fn parse_all(files: Vec<Arc<SourceFile>>) -> Result<Vec<Parsed>, Diagnostics> {
    let mut parsed = Vec::new();
    let mut faults = Diagnostics::default();
    let bodies: Vec<_> = files.par_iter().map(parse).collect();
    for (file, body) in files.into_iter().zip(bodies) {
        match body {
            Ok(body) => parsed.push((file, body)),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}
