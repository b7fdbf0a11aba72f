//! Several environments in one branch, each in a directory of its own.
//!
//! A commit that names its environment keeps that environment's state in the directory of that name. The revision before
//! it is the nearest commit before it that names the same; what lies between is of others, and has to leave the directory
//! as it is. So each environment has its chain along the branch, and none touches a byte of another's.

use std::time::Instant;

use engine_core::mark::EnvironmentName;
use engine_core::ports::StateError;
use engine_core::state::State;
use git2::{Commit, Oid, Repository, Tree};

use super::commit::{self, Author, Draft, Link, failed};
use super::{GitStore, chain, local, remote};
use crate::step::{Step, check_successor, refused};

/// The trailer that names the environment.
pub(super) const TRAILER: &str = "Environment";

/// How often a revision goes on top of those who were first.
const ATTEMPTS: u32 = 20;

/// The mode of a directory in a tree.
const DIRECTORY: i32 = 0o040_000;

impl GitStore {
    /// Appends a revision to a branch that others move as well: whoever is overtaken goes on top of them, as long as
    /// nobody else moved this environment.
    pub(super) fn advance_branch(
        &self,
        expected: Option<Oid>,
        next: &State,
        draft: Draft<'_>,
    ) -> Result<Link, StateError> {
        let mut tried = Vec::new();
        for attempt in 1..=ATTEMPTS {
            let start = Instant::now();
            let repository = local::open_durable(&self.chain)?;
            let tip = self.whole(&repository)?;
            let own = tip.map(|tip| newest(&repository, tip, &self.environment)).transpose()?.flatten();
            if let Some(landed) = tried.iter().find(|link: &&Link| Some(link.oid) == own) {
                return Ok(landed.clone());
            }
            if own != expected {
                return Err(chain::moved(&repository, expected, own));
            }
            let link = write(&repository, (tip, own), next, draft, &self.author)?;
            match self.publish(&repository, (&self.reference(), &self.tip_reference()), tip, link.oid) {
                Ok(()) => return Ok(link),
                Err(StateError::Moved { .. }) => tried.push(link),
                Err(error) => return Err(error),
            }
            std::thread::sleep(remote::pause(attempt, start.elapsed()));
        }
        Err(StateError::Stuck(format!(
            "others moved {} {ATTEMPTS} times in a row; nothing was written",
            self.reference()
        )))
    }
}

/// Returns the newest revision of an environment at or before the tip of the branch, `None` before its first.
pub(super) fn newest(
    repository: &Repository,
    tip: Oid,
    environment: &EnvironmentName,
) -> Result<Option<Oid>, StateError> {
    let commit = commit::find(repository, tip)?;
    match directory(repository, &commit, environment.as_str())? {
        Some(held) => writer(repository, commit, environment.as_str(), held).map(Some),
        None => Ok(None),
    }
}

/// Returns the revision before one that names its environment, `None` when it is the first.
pub(super) fn previous(
    repository: &Repository,
    revision: Oid,
    environment: &str,
) -> Result<Option<Oid>, StateError> {
    let Some(parent) = commit::parents(&commit::find(repository, revision)?).first().copied() else {
        return Ok(None);
    };
    let parent = commit::find(repository, parent)?;
    match directory(repository, &parent, environment)? {
        Some(held) => writer(repository, parent, environment, held).map(Some),
        None => Ok(None),
    }
}

/// Walks back to the revision that left the directory as it is.
fn writer<'a>(
    repository: &'a Repository,
    from: Commit<'a>,
    environment: &str,
    held: Oid,
) -> Result<Oid, StateError> {
    let mut commit = from;
    loop {
        if commit::environment(&commit).as_deref() == Some(environment) {
            return Ok(commit.id());
        }
        let fault =
            |reason: &str| StateError::Corrupt(format!("commit {} of the branch {reason}", commit.id()));
        let parent = match commit::parents(&commit)[..] {
            [parent] => commit::find(repository, parent)?,
            [] => return Err(fault(&format!("has a directory {environment} and is no revision of it"))),
            _ => return Err(fault("has more than one parent, the branch must be linear")),
        };
        if directory(repository, &parent, environment)? != Some(held) {
            return Err(fault(&format!("changed the directory {environment} and is no revision of it")));
        }
        commit = parent;
    }
}

/// Returns the tree in which a commit keeps the state of the environment that it names.
pub(super) fn tree<'a>(
    repository: &'a Repository,
    commit: &Commit<'_>,
    environment: &str,
) -> Result<Tree<'a>, String> {
    let held = directory(repository, commit, environment).map_err(|error| error.to_string())?;
    let held = held.ok_or_else(|| format!("it has no directory {environment}"))?;
    commit::whole(repository, held)?;
    repository.find_tree(held).map_err(|error| error.message().to_owned())
}

fn directory(
    repository: &Repository,
    commit: &Commit<'_>,
    environment: &str,
) -> Result<Option<Oid>, StateError> {
    let fault = |reason: &str| StateError::Corrupt(format!("commit {}: {reason}", commit.id()));
    commit::whole(repository, commit.tree_id()).map_err(|reason| fault(&reason))?;
    let tree = commit.tree().map_err(|error| fault(error.message()))?;
    match tree.get_name(environment) {
        None => Ok(None),
        Some(entry) if entry.filemode_raw() == DIRECTORY => Ok(Some(entry.id())),
        Some(_) => Err(fault(&format!("{environment} is no directory"))),
    }
}

/// Writes a revision on top of the branch: everything but the environment's directory stays. No ref is moved.
pub(super) fn write(
    repository: &Repository,
    (tip, before): (Option<Oid>, Option<Oid>),
    next: &State,
    draft: Draft<'_>,
    author: &Author,
) -> Result<Link, StateError> {
    if let Some(before) = before {
        let before = commit::read(&commit::find(repository, before)?)?;
        check_successor(&before.step, &Step::of(next)).map_err(refused)?;
    }
    let tip = tip.map(|tip| commit::find(repository, tip)).transpose()?;
    let files = crate::format::encode(next).map_err(refused)?;
    let environment = next.environment.as_str();
    let message = format!("{}{TRAILER}: {environment}\n", commit::message(next, draft)?);
    let written = || {
        let base = tip.as_ref().map(Commit::tree).transpose()?;
        let mut tree = repository.treebuilder(base.as_ref())?;
        tree.insert(environment, commit::write_files(repository, &files)?, DIRECTORY)?;
        let tree = repository.find_tree(tree.write()?)?;
        let signature = author.signature()?;
        let parents: Vec<_> = tip.iter().collect();
        repository.commit(None, &signature, &signature, &message, &tree, &parents)
    };
    let oid = written().map_err(|error| failed("cannot write the revision", &error))?;
    commit::read(&commit::find(repository, oid)?)
}
