//! What the commands share: the definition, its state and its clusters, opened and joined.

mod clusters;
mod modules;
mod store;
mod variables;

pub use clusters::{SERVED_KUBECONFIG, sandbox_directory};
pub use modules::Refs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_config::{Definition, LoadOptions, Origin, Valid};
use engine_converge::Providers;
use engine_converge::read::ReadError;
use engine_core::address::Address;
use engine_core::cluster::Connection;
use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::digest::SealKey;
use engine_core::mark::Lineage;
use engine_core::object_ref::ClusterRef;
use engine_core::ports::{RevisionStore, StateError, Stored};
use engine_core::resource::{Body, Resource};
use engine_core::state::State;
use engine_core::value::Value;
use engine_render::diagnostics_text;
use engine_state::RunFiles;
use providers_kustomize::Kustomize;
use providers_sources::Repository;

use crate::args::{Target, Variables};
use crate::error::{CommandError, causes};
use crate::terminal::{say, stderr_style};

/// The directory of files that belong to a work copy only, and in it that of modules of other repositories.
const WORK: &str = ".terrane";
const MODULES: &str = "modules";

/// What holds for the whole command.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// `--no-color`.
    pub no_color: bool,
}

/// Objects read for a definition, by the address of the read.
pub type Reads = std::collections::BTreeMap<Address, Value>;

/// A directory with a definition, and the place of the files that go with it.
pub struct Workspace {
    /// Where the definition lies.
    directory: PathBuf,
    /// The root of the tree that it may read.
    repository: PathBuf,
    /// Where variable files are looked for.
    settings: PathBuf,
    /// The environment's directory in the work copy: of the state and of `.terrane`.
    home: PathBuf,
    variables: Variables,
    clock: jiff::Timestamp,
}

impl Workspace {
    /// Opens a directory.
    ///
    /// # Errors
    /// There is no such directory.
    pub fn open(target: &Target) -> Result<Self, CommandError> {
        let directory = &target.directory;
        if !directory.is_dir() {
            return Err(CommandError::new(format!("{} is not a directory", directory.display()))
                .hint("name the directory that holds the environment's *.hcl files"));
        }
        let found =
            Repository::discover(directory).map_err(CommandError::while_("look for the Git repository"))?;
        let repository =
            found.map_or_else(|| directory.clone(), |repository| repository.root().to_path_buf());
        let (home, variables) = (directory.clone(), target.variables.clone());
        let (directory, settings) = (home.clone(), home.clone());
        Ok(Self { directory, repository, settings, home, variables, clock: jiff::Timestamp::now() })
    }

    /// Returns the same environment with its definition as another tree has it, and the variable files of
    /// `settings`. Modules of other repositories are those that this work copy has fetched.
    ///
    /// # Errors
    /// The directory cannot be resolved or written.
    pub fn in_tree(&self, tree: &Path, settings: &Path) -> Result<Self, CommandError> {
        let real = |path: &Path| {
            path.canonicalize().map_err(CommandError::while_(format!("find {}", path.display())))
        };
        let (directory, repository) = (real(&self.home)?, real(&self.repository)?);
        let inside = directory.strip_prefix(repository).unwrap_or(Path::new(""));
        let directory = tree.join(inside);
        if directory.is_dir() {
            modules::copy(&self.work_directory().join(MODULES), &directory.join(WORK).join(MODULES))
                .map_err(CommandError::while_("copy the modules that have been fetched"))?;
        }
        Ok(Self {
            directory,
            repository: tree.to_path_buf(),
            settings: settings.join(inside),
            home: self.home.clone(),
            variables: self.variables.clone(),
            clock: self.clock,
        })
    }

    /// Tells whether the definition's directory is there.
    pub fn exists(&self) -> bool {
        self.directory.is_dir()
    }

    /// Returns the same at another moment: the one that functions of time give.
    #[must_use]
    pub fn at(self, clock: jiff::Timestamp) -> Self {
        Self { clock, ..self }
    }

    /// Returns the moment that functions of time give.
    pub fn clock(&self) -> jiff::Timestamp {
        self.clock
    }

    /// Loads the definition; warnings go to stderr.
    ///
    /// # Errors
    /// It has errors.
    pub fn load(&self, reads: &Reads, context: Context) -> Result<Definition, CommandError> {
        let definition = engine_config::load(&self.options()?, &Kustomize::new(&self.repository), reads)?;
        warn(&definition.warnings, context);
        Ok(definition)
    }

    /// Checks the definition without the values of variables.
    ///
    /// # Errors
    /// The variables or the repository cannot be read. What is wrong with the definition is the inner result.
    pub fn validate(&self) -> Result<Result<Valid, Diagnostics>, CommandError> {
        Ok(engine_config::validate(&self.options()?, &Kustomize::new(&self.repository)))
    }

    fn options(&self) -> Result<LoadOptions, CommandError> {
        Ok(LoadOptions {
            directory: self.directory.clone(),
            repository: self.repository.clone(),
            variables: variables::collect(&self.settings, &self.variables)?,
            clock: self.clock,
            contexts: variables::contexts(),
            origin: self.origin()?,
        })
    }

    /// Tells the definition where its repository comes from.
    fn origin(&self) -> Result<Option<Origin>, CommandError> {
        let repository =
            Repository::discover(&self.home).map_err(CommandError::while_("look for the Git repository"))?;
        let found = repository.and_then(|repository| repository.origin());
        Ok(found.map(|(url, branch)| Origin { url: url.into(), revision: branch.into() }))
    }

    /// Returns the environment's directory in the work copy.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the directory of files that belong to this work copy only.
    pub fn work_directory(&self) -> PathBuf {
        self.home.join(WORK)
    }
}

/// A definition with its state and its clusters.
pub struct Session {
    /// Where the definition lies.
    pub workspace: Workspace,
    /// The definition, with everything read that could be.
    pub definition: Definition,
    /// Objects that were read for it.
    pub reads: Reads,
    /// Where the state is kept.
    pub store: Arc<dyn RevisionStore>,
    /// The newest state, `None` before the first apply.
    pub stored: Option<Stored>,
    /// The lineage that the state will have if it is created.
    lineage: Option<Lineage>,
    /// Key of the sensitive digests.
    pub key: Option<SealKey>,
    /// The clusters, of the definition and of the state.
    pub providers: Arc<Providers>,
    /// Those whose certificates nobody looks at.
    unverified: BTreeSet<ClusterRef>,
}

impl Session {
    /// Loads the definition and reads the state. No cluster is connected.
    ///
    /// # Errors
    /// The definition has errors, or the state cannot be read.
    pub fn offline(workspace: Workspace, context: Context) -> Result<Self, CommandError> {
        let mut session = Self::unread(workspace, context)?;
        session.reload_state()?;
        Ok(session)
    }

    /// Loads the definition and opens the store of its state, which may be lost. Nothing is read from it.
    ///
    /// # Errors
    /// The definition has errors, or the store cannot be opened.
    pub fn unread(workspace: Workspace, context: Context) -> Result<Self, CommandError> {
        let definition = workspace.load(&Reads::new(), context)?;
        let store = store::open(&workspace, &definition)?;
        let (reads, stored, lineage, key) = (Reads::new(), None, None, None);
        let (providers, unverified) = Default::default();
        Ok(Self { workspace, definition, reads, store, stored, lineage, key, providers, unverified })
    }

    /// Loads the definition, reads the state and connects the clusters. What the definition reads from them is
    /// left open.
    ///
    /// # Errors
    /// As [`Session::offline`], or a cluster cannot be reached.
    pub async fn connect(workspace: Workspace, context: Context) -> Result<Self, CommandError> {
        let mut session = Self::offline(workspace, context)?;
        session.reach().await?;
        Ok(session)
    }

    /// Connects the clusters of the definition and of the state.
    ///
    /// # Errors
    /// A cluster cannot be reached.
    pub async fn reach(&mut self) -> Result<(), CommandError> {
        let state = self.stored.as_ref().map(|stored| &stored.state);
        let (providers, unverified) = clusters::connect(&self.workspace, &self.definition, state).await?;
        (self.providers, self.unverified) = (Arc::new(providers), unverified);
        Ok(())
    }

    /// Returns warnings of clusters that anybody could pass for.
    pub fn unverified(&self) -> impl Iterator<Item = Diagnostic> {
        self.unverified.iter().map(|cluster| clusters::unverified(&self.definition, cluster))
    }

    /// Connects, and reads what the definition asks for.
    ///
    /// # Errors
    /// As [`Session::connect`] and [`Session::answer`].
    pub async fn open(workspace: Workspace, context: Context) -> Result<Self, CommandError> {
        let mut session = Self::connect(workspace, context).await?;
        session.answer_all(context).await?;
        Ok(session)
    }

    /// Opens another definition on the state and the clusters of this one.
    ///
    /// # Errors
    /// The definition has errors, or as [`Session::answer`].
    pub async fn beside(&self, workspace: Workspace, context: Context) -> Result<Self, CommandError> {
        let definition = workspace.load(&Reads::new(), context)?;
        let mut session = Self {
            workspace,
            definition,
            reads: Reads::new(),
            store: self.store.clone(),
            stored: self.stored.clone(),
            lineage: self.lineage.clone(),
            key: self.key.clone(),
            providers: self.providers.clone(),
            unverified: self.unverified.clone(),
        };
        session.answer_all(context).await?;
        Ok(session)
    }

    /// Reads what the definition asks for.
    ///
    /// # Errors
    /// As [`Session::answer`].
    pub async fn answer_all(&mut self, context: Context) -> Result<(), CommandError> {
        // What was found may lead to further questions.
        while !self.definition.reads.is_empty() {
            let reads = std::mem::take(&mut self.definition.reads);
            self.answer(reads.iter(), context).await?;
        }
        Ok(())
    }

    /// Reads objects that the definition asks for, and loads it again with them.
    ///
    /// # Errors
    /// An object does not exist or cannot be read, or the definition has errors with what was found.
    pub async fn answer<'a>(
        &mut self,
        reads: impl Iterator<Item = &'a Resource>,
        context: Context,
    ) -> Result<(), CommandError> {
        let before = self.reads.len();
        for resource in reads {
            let Body::Read(read) = &resource.body else { continue };
            let value = engine_converge::read::read_object(read, &self.providers).await;
            // What is not there the definition judges: a `read` misses it, a `secret` makes it.
            let value = match value {
                Err(ReadError::Missing { .. }) => Value::Null,
                value => value.map_err(CommandError::while_(format!("read {}", resource.address)))?,
            };
            self.reads.insert(resource.address.clone(), value);
        }
        if self.reads.len() > before {
            self.definition = self.workspace.load(&self.reads, context)?;
        }
        Ok(())
    }

    /// Returns the state, or the empty one before the first apply.
    pub fn state(&self) -> State {
        match &self.stored {
            Some(stored) => stored.state.clone(),
            None => State::empty(self.definition.environment.clone(), self.first_lineage()),
        }
    }

    /// Returns the lineage that a plan before the first apply is made with. Unless an apply has drawn one it is
    /// not random: such a plan is the same every time.
    fn first_lineage(&self) -> Lineage {
        self.lineage.clone().unwrap_or_else(|| Lineage::new([0; 16]))
    }

    /// Draws the lineage of a state that does not exist yet, so that what is planned can be applied. Writes
    /// nothing.
    ///
    /// # Errors
    /// The operating system gives no random numbers.
    pub fn draw_lineage(&mut self) -> Result<(), CommandError> {
        if self.lineage.is_none() {
            let drawn = engine_state::new_lineage().map_err(CommandError::while_("draw a lineage"))?;
            self.lineage = Some(drawn);
        }
        Ok(())
    }

    /// Returns the key under which a saved plan keeps the digest of what is sensitive, if this work copy has it:
    /// the state's, or before the first apply one for all plans.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn input_key(&self) -> Result<Option<SealKey>, CommandError> {
        store::key(&self.workspace, &self.input_lineage())
    }

    /// Returns the same, creating the key where there is none.
    ///
    /// # Errors
    /// The key cannot be read or written.
    pub fn create_input_key(&self) -> Result<SealKey, CommandError> {
        store::create_key(&self.workspace, &self.input_lineage())
    }

    fn input_lineage(&self) -> Lineage {
        let stored = self.stored.as_ref().map(|stored| stored.state.lineage.clone());
        stored.unwrap_or_else(|| Lineage::new([0; 16]))
    }

    /// Returns how a cluster is reached, by the definition or else by the state.
    pub fn connection(&self, cluster: &ClusterRef) -> Option<Connection> {
        let declared = self.definition.clusters.get(cluster).map(|cluster| cluster.connection.clone());
        let recorded = || Some(self.stored.as_ref()?.state.clusters.get(cluster)?.connection.clone());
        declared.or_else(recorded)
    }

    /// Returns where a run keeps its log and its lock on this machine.
    pub fn run_files(&self) -> RunFiles {
        RunFiles::new(&self.workspace.work_directory(), &self.definition.environment)
    }

    /// Reads the newest state again.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn reload_state(&mut self) -> Result<(), CommandError> {
        self.stored = self.store.latest().map_err(CommandError::while_("read the state"))?;
        if let (Some(stored), None) = (&self.stored, &self.key) {
            self.key = store::key(&self.workspace, &stored.state.lineage)?;
        }
        Ok(())
    }

    /// Creates the state and the key of the sensitive digests where there are none yet.
    ///
    /// # Errors
    /// The state cannot be written, or somebody else created it at the same moment.
    pub fn create_state(&mut self) -> Result<Stored, CommandError> {
        let stored = match &self.stored {
            Some(stored) => stored.clone(),
            None => {
                self.draw_lineage()?;
                let mut state = self.state();
                state.serial = 1;
                let landed = self.store.advance(None, &state, "init: create the state");
                let revision = landed.map_err(CommandError::while_("create the state"))?;
                Stored { revision, state }
            }
        };
        self.key = Some(store::create_key(&self.workspace, &stored.state.lineage)?);
        self.stored = Some(stored.clone());
        Ok(stored)
    }
}

/// Prints warnings to stderr.
pub fn warn(diagnostics: &Diagnostics, context: Context) {
    if !diagnostics.is_empty() {
        say(&diagnostics_text(diagnostics, stderr_style(context.no_color)));
    }
}

/// Says why a command failed.
pub fn failure_text(error: &CommandError, context: Context) -> String {
    match error {
        CommandError::Definition(diagnostics) => {
            diagnostics_text(diagnostics, stderr_style(context.no_color))
        }
        CommandError::Failed { what, source, hint } => {
            let fault = error.state_error();
            let code = fault.map(|fault| format!("[{}]", fault.code())).unwrap_or_default();
            let mut text = format!("error{code}: {}\n", engine_render::escape(what));
            for cause in source.iter().flat_map(|source| causes(source.as_ref())) {
                text.push_str(&format!("  because: {}\n", engine_render::escape(&cause)));
            }
            if let Some(hint) = hint.as_deref().or(fault.map(StateError::hint)) {
                text.push_str(&format!("  help: {hint}\n"));
            }
            text
        }
    }
}
