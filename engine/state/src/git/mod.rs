//! The chain as Git commits under one ref per environment.

mod answer;
mod approval;
mod chain;
mod child;
mod claim;
mod commit;
mod compact;
mod configuration;
mod high_water;
mod local;
mod loose;
mod probe;
mod remote;
mod restore;
mod shared;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_core::digest::Digest;
use engine_core::mark::EnvironmentName;
use engine_core::ports::{
    self, Approval, Compacted, HistoryEntry, Revision, RevisionStore, StateError, StateStore, Stored,
    Verified,
};
use engine_core::state::State;
use git2::{Oid, Repository};

use chain::Tip;
use child::{Environment, Limits};
use commit::Draft;
use high_water::HighWater;
use remote::Remote;

/// After how many revisions a repository of our own is packed.
const TIDY_EVERY: u64 = 256;

/// Where the chain of an environment is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitLocation {
    /// Refs of the Git repository that holds this path. Nothing leaves the machine.
    Local {
        /// A path inside the repository.
        repository: PathBuf,
    },
    /// Refs of a remote, shared by everybody who applies.
    Remote {
        /// A path inside the repository that configures the remote and the access to it. Its hooks, worktree
        /// and branches are never touched.
        repository: PathBuf,
        /// Name of a configured remote, a URL, or a path.
        remote: String,
    },
    /// A bare repository of our own, made when it is not there: for a definition outside any repository.
    Private {
        /// The bare repository: `.terrane/state.git`.
        directory: PathBuf,
    },
}

/// Keeps the chain of one environment under `refs/terrane/state/<environment>`.
///
/// Each revision is a commit whose one parent is the revision before it. The ref is moved by compare-and-swap:
/// in the repository itself under the ref's lock, at a remote by a push that names the old commit. Objects
/// and refs are synced to disk before they count.
pub struct GitStore {
    environment: EnvironmentName,
    /// The Git directory that holds the chain: the user's, a private one, or the mirror of a remote.
    chain: PathBuf,
    author: commit::Author,
    remote: Option<Remote>,
    /// The branch that this environment shares with others.
    branch: Option<String>,
    /// Set when the chain's repository is our own, so that nobody else packs it: how to run `git` there.
    upkeep: Option<Environment>,
    high_water: Option<HighWater>,
}

impl GitStore {
    /// Opens the store of an environment. A remote is not contacted yet.
    ///
    /// # Errors
    /// [`StateError::Unusable`]: the path is in no repository, the repository cannot be opened, or the remote is
    /// not configured or not usable.
    pub fn open(location: &GitLocation, environment: &EnvironmentName) -> Result<Self, StateError> {
        Self::open_in(location, environment, &Environment::of_process())
    }

    /// Opens the store as a process with these environment variables does.
    fn open_in(
        location: &GitLocation,
        environment: &EnvironmentName,
        variables: &Environment,
    ) -> Result<Self, StateError> {
        let (repository, chain, remote) = match location {
            GitLocation::Local { repository } => {
                let repository = local::discover(repository)?;
                let chain = repository.commondir().to_path_buf();
                (repository, chain, None)
            }
            GitLocation::Private { directory } => {
                let repository = local::create(directory)?;
                (repository, directory.clone(), None)
            }
            GitLocation::Remote { repository, remote } => {
                let repository = local::discover(repository)?;
                let mirror = repository.commondir().join("terrane").join("state.git");
                local::create(&mirror)?;
                let remote = Remote::new(&repository, remote, &mirror, variables)?;
                (repository, mirror, Some(remote))
            }
        };
        let is_own = !matches!(location, GitLocation::Local { .. });
        Ok(Self {
            environment: environment.clone(),
            upkeep: is_own.then(|| variables.for_transport(&[])),
            chain,
            author: commit::Author::configured(&repository),
            remote,
            branch: None,
            high_water: None,
        })
    }

    /// Remembers in this file the newest revision that was ever seen, and refuses a chain that does not
    /// descend from it: a deleted, rewound or rewritten ref is noticed before anything rests on it.
    #[must_use]
    pub fn with_high_water(mut self, path: impl Into<PathBuf>) -> Self {
        self.high_water = Some(HighWater::new(path.into()));
        self
    }

    /// Keeps the chain in a branch that other environments share, each in a directory of its name.
    ///
    /// # Errors
    /// [`StateError::Unusable`]: that is no name of a branch, or the branch is checked out.
    pub fn in_branch(mut self, branch: &str) -> Result<Self, StateError> {
        let shown = || crate::line::single_line(branch, 80);
        if !git2::Branch::name_is_valid(branch).unwrap_or(false) {
            return Err(StateError::Unusable(format!("`{}` is no name of a branch", shown())));
        }
        let repository = local::open(&self.chain)?;
        let found = repository.find_branch(branch, git2::BranchType::Local).ok();
        if found.is_some_and(|found| found.is_head()) {
            let reason = format!("branch {} is checked out: choose one that nobody works in", shown());
            return Err(StateError::Unusable(reason));
        }
        self.branch = Some(branch.to_owned());
        Ok(self)
    }

    /// Returns the Git directory that holds the chain, for messages and for `git --git-dir`.
    pub fn git_directory(&self) -> &Path {
        &self.chain
    }

    /// Returns the ref that holds the truth: `refs/terrane/state/<environment>`, the same below `refs/heads/terrane` at a
    /// remote that takes branches only, or the shared branch.
    pub fn reference(&self) -> String {
        match &self.branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => format!("{}/state/{}", self.base(), self.environment),
        }
    }

    /// Returns what the names of our refs begin with.
    fn base(&self) -> &str {
        let found = self.remote.as_ref().and_then(|remote| remote.base.get());
        match (&self.branch, found) {
            (Some(_), _) => probe::BRANCHES,
            (None, Some(found)) => found,
            (None, None) => probe::REFS,
        }
    }

    /// The ref under which the tip is found in the chain's repository.
    fn tip_reference(&self) -> String {
        match self.remote {
            None => self.reference(),
            Some(_) => match &self.branch {
                Some(branch) => format!("refs/terrane/remote-branch/{branch}"),
                None => format!("refs/terrane/remote/{}", self.environment),
            },
        }
    }

    /// Returns the newest revision, with all that lies before it.
    fn tip(&self, repository: &Repository) -> Result<Option<Oid>, StateError> {
        match (&self.branch, self.whole(repository)?) {
            (Some(_), Some(tip)) => shared::newest(repository, tip, &self.environment),
            (_, tip) => Ok(tip),
        }
    }

    /// Returns the newest commit of the ref, with all that lies before it, from the remote if there is one.
    fn whole(&self, repository: &Repository) -> Result<Option<Oid>, StateError> {
        let tip = self.newest(repository)?;
        if tip.is_some() {
            self.complete(repository)?;
        }
        Ok(tip)
    }

    /// Returns the newest commit of the ref; at a remote it may be all that the mirror has.
    fn newest(&self, repository: &Repository) -> Result<Option<Oid>, StateError> {
        let Some(remote) = &self.remote else {
            return local::tip(repository, &self.reference());
        };
        self.settle_base(remote)?;
        let (theirs, ours) = (&self.reference(), &self.tip_reference());
        remote.fetch(remote::Refs { theirs, ours })
    }

    /// Fetches what lies before the commits that the mirror has.
    fn complete(&self, repository: &Repository) -> Result<(), StateError> {
        let Some(remote) = self.remote.as_ref().filter(|_| repository.is_shallow()) else {
            return Ok(());
        };
        let (theirs, ours) = (&self.reference(), &self.tip_reference());
        remote.deepen(remote::Refs { theirs, ours })
    }

    /// Returns the newest revision, checked against the high-water mark.
    fn checked_tip(&self, repository: &Repository) -> Result<Option<Tip>, StateError> {
        // The mark is read first: a rival may move both while this runs, and a mark that is newer than the
        // tip would look like a rewound ref.
        let seen = match &self.high_water {
            Some(high_water) => high_water.read()?,
            None => None,
        };
        let mut oid = self.newest(repository)?;
        // All of a branch is needed to tell whose its commits are; of a chain only what leads to what was seen.
        let odb = repository.odb().map_err(|error| commit::failed("the objects cannot be read", &error))?;
        let is_known = |seen: &high_water::Seen| odb.exists(seen.revision);
        if oid.is_some() && (self.branch.is_some() || !seen.as_ref().is_none_or(is_known)) {
            self.complete(repository)?;
        }
        if let (Some(_), Some(tip)) = (&self.branch, oid) {
            oid = shared::newest(repository, tip, &self.environment)?;
        }
        let tip = oid.map(|oid| chain::tip(repository, oid, &self.environment)).transpose()?;
        if let (Some(high_water), Some(seen)) = (&self.high_water, &seen) {
            self.with_archives(|| high_water.check(repository, seen, tip.as_ref()))?;
        }
        Ok(tip)
    }

    /// Packs a repository of our own now and then: each revision adds objects that take a hundred times more
    /// room loose than packed.
    fn tidy(&self, serial: u64) {
        let Some(environment) = self.upkeep.as_ref().filter(|_| serial.is_multiple_of(TIDY_EVERY)) else {
            return;
        };
        let packed = child::run(&self.chain, environment, &["--git-dir=.", "gc", "--quiet"], Limits::TIME);
        let reason = match packed {
            Ok(output) if output.success => return,
            Ok(output) => output.answer(&[]).reason,
            Err(error) => error.to_string(),
        };
        tracing::warn!(directory = %self.chain.display(), reason, "the state's repository is not packed");
    }

    fn remember(&self, tip: &Tip) {
        if let Some(high_water) = &self.high_water {
            high_water.write(tip);
        }
    }

    /// Publishes a commit that descends from `expected` under a ref: its name where the truth is, and in the mirror.
    fn publish(
        &self,
        repository: &Repository,
        (theirs, ours): (&str, &str),
        expected: Option<Oid>,
        new: Oid,
    ) -> Result<(), StateError> {
        match &self.remote {
            None => local::advance(repository, theirs, expected, new),
            Some(remote) => remote.advance(repository, remote::Refs { theirs, ours }, expected, new),
        }
    }

    fn approval_names(&self, decision: &Digest) -> Result<approval::Names, StateError> {
        if let Some(remote) = &self.remote {
            self.settle_base(remote)?;
        }
        Ok(approval::Names::new(self.base(), &self.environment, decision))
    }

    fn find_approval(
        &self,
        repository: &Repository,
        names: &approval::Names,
        decision: &Digest,
    ) -> Result<Option<Approval>, StateError> {
        let found = match &self.remote {
            None => local::tip(repository, &names.theirs)?,
            Some(remote) => remote.fetch(remote::Refs { theirs: &names.theirs, ours: &names.ours })?,
        };
        found.map(|oid| approval::read(repository, oid, decision)).transpose()
    }
}

impl StateStore for GitStore {
    fn latest(&self) -> Result<Option<Stored>, StateError> {
        let repository = local::open(&self.chain)?;
        let Some(tip) = self.checked_tip(&repository)? else {
            return Ok(None);
        };
        self.remember(&tip);
        Ok(Some(Stored { revision: Revision(tip.link.oid.to_string()), state: tip.state }))
    }

    fn append(
        &self,
        expected: Option<&Revision>,
        next: &State,
        summary: &str,
        plan: Option<&Digest>,
    ) -> Result<Revision, StateError> {
        if next.environment != self.environment {
            return Err(StateError::Invalid(format!(
                "the store keeps environment {}, not {}",
                self.environment, next.environment
            )));
        }
        let repository = local::open_durable(&self.chain)?;
        let expected = expected.map(chain::oid).transpose()?;
        let draft = Draft { summary, plan, ..Draft::default() };
        if self.branch.is_some() {
            let link = self.advance_branch(expected, next, draft)?;
            let revision = Revision(link.oid.to_string());
            self.remember(&Tip { link, state: next.clone() });
            return Ok(revision);
        }
        if expected.is_none() {
            self.choose_base(&repository)?;
        }
        if self.remote.is_none() {
            // The swap decides; this only saves a lost race the cost of writing objects.
            local::expect(&repository, &self.reference(), expected)?;
        }
        let link = commit::write(&repository, expected, next, draft, &self.author)?;
        let new = link.oid;
        self.publish(&repository, (&self.reference(), &self.tip_reference()), expected, new)?;
        self.tidy(next.serial);
        self.remember(&Tip { link, state: next.clone() });
        Ok(Revision(new.to_string()))
    }

    fn approve(&self, decision: &Digest) -> Result<Approval, StateError> {
        let repository = local::open_durable(&self.chain)?;
        let refs = self.approval_names(decision)?;
        if let Some(approval) = self.find_approval(&repository, &refs, decision)? {
            return Ok(approval);
        }
        let new = approval::write(&repository, decision, &self.author)?;
        match self.publish(&repository, (&refs.theirs, &refs.ours), None, new) {
            Ok(()) => approval::read(&repository, new, decision),
            // Somebody else approved it at the same moment.
            Err(StateError::Moved { .. }) => {
                let found = self.find_approval(&repository, &refs, decision)?;
                found.ok_or_else(|| StateError::Missing("the approval was taken back".into()))
            }
            Err(error) => Err(error),
        }
    }

    fn approval(&self, decision: &Digest) -> Result<Option<Approval>, StateError> {
        let repository = local::open(&self.chain)?;
        self.find_approval(&repository, &self.approval_names(decision)?, decision)
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StateError> {
        let repository = local::open(&self.chain)?;
        self.whole(&repository)?;
        match self.checked_tip(&repository)? {
            Some(tip) => {
                let history = || chain::history(&repository, tip.link.clone(), limit);
                let found = history()?;
                // Where an old chain is not at hand yet, the history ends at the seam.
                let is_cut = found.len() < limit && found.last().is_some_and(|oldest| oldest.serial > 1);
                if !is_cut || self.remote.is_none() {
                    return Ok(found);
                }
                self.fetch_archives()?;
                history()
            }
            None => Ok(Vec::new()),
        }
    }
}

impl RevisionStore for GitStore {
    fn approvals(&self) -> Result<BTreeMap<Digest, Approval>, StateError> {
        if let Some(remote) = &self.remote {
            self.settle_base(remote)?;
        }
        let names = approval::Names::below(self.base(), &self.environment);
        approval::all(&local::open(&self.chain)?, names, self.remote.as_ref())
    }

    fn unchecked(&self) -> Result<Option<ports::Tip>, StateError> {
        self.found_tip()
    }

    fn find(&self, name: &str) -> Result<Option<Stored>, StateError> {
        self.find_revision(name)
    }

    fn verify(&self) -> Result<Verified, StateError> {
        let repository = local::open(&self.chain)?;
        let Some(tip) = self.tip(&repository)? else { return Ok(Verified::default()) };
        self.fetch_archives()?;
        verify::verify(&self.chain, tip, &self.environment)
    }

    fn restore(
        &self,
        expected: Option<&Revision>,
        wanted: &Stored,
        summary: &str,
    ) -> Result<Stored, StateError> {
        self.bring_back(expected, wanted, summary)
    }

    fn compact(&self, expected: &Stored, keep: usize) -> Result<Option<Compacted>, StateError> {
        self.begin_anew(expected, keep)
    }
}

#[cfg(test)]
mod tests;
