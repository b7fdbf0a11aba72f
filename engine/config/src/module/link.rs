//! Finding the module that a block type stands for: `modules/TYPE` of the repository, then of the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::digest::Digest;
use engine_core::value::Text;
use include_dir::{Dir, include_dir};

use super::Module;
use super::constant::Constants;
use super::decode::{Level, Parsed, decode};
use crate::codes::{NO_DEFINITION, RECURSION, SHADOWED};
use crate::source::Files;
use crate::syntax::parse;

/// The modules that come with the binary.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../modules");

/// The directory of the repository that holds its own modules.
const MODULES: &str = "modules";

/// The lock file is no definition, although it is HCL.
const LOCK_FILE: &str = "terrane.lock.hcl";

/// How deep modules may use modules.
pub(crate) const MAX_DEPTH: usize = 16;

/// Loads modules, each once.
pub(crate) struct Linker<'a> {
    files: &'a Files,
    pub(super) constants: Constants,
    overrides: BTreeSet<Text>,
    /// `None` for a module with faults, reported once.
    loaded: BTreeMap<Text, Option<Arc<Module>>>,
    /// Modules being loaded, outermost first.
    open: Vec<Text>,
}

/// What a block type stands for.
pub(super) enum Found {
    Module(Arc<Module>),
    /// A module whose faults have been reported.
    Broken,
    Nothing,
}

impl<'a> Linker<'a> {
    pub(crate) fn new(files: &'a Files) -> Self {
        Self {
            files,
            constants: Constants::new(),
            overrides: BTreeSet::new(),
            loaded: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// Loads the root module of a directory, with everything it uses.
    pub(crate) fn root(&mut self, directory: &Path) -> Result<Module, Diagnostics> {
        let sources = self.sources(directory)?;
        if sources.is_empty() {
            let summary = format!("{} holds no definition", directory.display());
            return Err(Diagnostic::error(NO_DEFINITION, summary)
                .detail("A definition is a directory with files that end in .hcl.")
                .hint("name the directory of an environment")
                .into());
        }
        let parsed = parse_all(sources)?;
        let relative = self.files.relative(directory)?;
        let mut faults = Diagnostics::default();
        let module = decode(parsed, relative, Level::Root, self, &mut faults);
        if faults.has_errors() { Err(faults) } else { Ok(module) }
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
        let module = self.load(name, span, &mut found);
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
        let is_other = |dir| !matches!(&own_sources, Some(Ok(files)) if same(files, dir));
        if is_own && embedded.is_some_and(is_other) && !self.overrides.contains(name) {
            faults.push(
                Diagnostic::error(SHADOWED, format!("module {name} is in the repository and in the binary"))
                    .at(span.clone())
                    .hint(format!("to use the repository's own: terrane {{ override = [{name:?}] }}")),
            );
            return None;
        }
        let (sources, directory) = match (own_sources, embedded) {
            (Some(sources), _) => (sources, format!("{MODULES}/{name}")),
            (None, Some(dir)) => (Ok(self.embedded(dir)), format!("<embedded>/{name}")),
            (None, None) => return None,
        };
        let parsed = sources.and_then(parse_all).map_err(|found| faults.extend(found)).ok()?;
        Some(decode(parsed, directory, Level::Inner, self, faults))
    }

    fn own(&self) -> PathBuf {
        self.files.root().join(MODULES)
    }

    fn sources(&self, directory: &Path) -> Result<Vec<Arc<SourceFile>>, Diagnostics> {
        let mut sources = Vec::new();
        let mut faults = Diagnostics::default();
        for name in self.files.names(directory)? {
            if name.ends_with(".hcl") && !name.starts_with('.') && name != LOCK_FILE {
                match self.files.text(&directory.join(name)) {
                    Ok(file) => sources.push(file),
                    Err(found) => faults.extend(found),
                }
            }
        }
        if faults.is_empty() { Ok(sources) } else { Err(faults) }
    }

    fn embedded(&self, dir: &Dir<'_>) -> Vec<Arc<SourceFile>> {
        let files = definitions(dir).map(|(path, text)| {
            let path = format!("<embedded>/{}", path.display());
            self.files.note(path.clone(), Digest::of_bytes(text.as_bytes()));
            let text = text.to_owned();
            Arc::new(SourceFile { path, text })
        });
        files.collect()
    }
}

/// Tells whether a repository's own module is the embedded one, file by file.
fn same(own: &[Arc<SourceFile>], embedded: &Dir<'_>) -> bool {
    let texts = definitions(embedded).map(|(_, text)| text);
    own.iter().map(|file| file.text.as_str()).eq(texts)
}

/// Returns the definition files of an embedded module in the order of their names.
fn definitions<'d>(dir: &'d Dir<'_>) -> impl Iterator<Item = (&'d Path, &'d str)> {
    let files =
        dir.files().filter(|file| file.path().extension().is_some_and(|extension| extension == "hcl"));
    files.filter_map(|file| Some((file.path(), file.contents_utf8()?)))
}

fn parse_all(files: Vec<Arc<SourceFile>>) -> Result<Vec<Parsed>, Diagnostics> {
    let mut parsed = Vec::new();
    let mut faults = Diagnostics::default();
    for file in files {
        match parse(&file) {
            Ok(body) => parsed.push((file, body)),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}
