//! What a remote can do: found out once by doing it to a ref that nobody uses, and recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_core::ports::StateError;
use git2::{Oid, Repository};
use serde::{Deserialize, Serialize};

use super::GitStore;
use super::answer::Fault;
use super::commit::{Author, failed};
use super::remote::Remote;
use crate::{file, random};

/// Where refs of our own lie. Nothing shows them, and no rule for branches holds for them.
pub(super) const REFS: &str = "refs/terrane";

/// Where they lie at a server that takes branches only.
pub(super) const BRANCHES: &str = "refs/heads/terrane";

/// What is known of a remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Abilities {
    /// Whether several refs move together or not at all.
    atomic: bool,
    /// What the names of our refs begin with.
    base: String,
    /// Whether a ref can be deleted.
    delete: bool,
}

impl GitStore {
    /// Finds out what the names of our refs begin with at a remote: as recorded, or as its refs are called.
    pub(super) fn settle_base(&self, remote: &Remote) -> Result<(), StateError> {
        if self.branch.is_some() || remote.base.get().is_some() {
            return Ok(());
        }
        if let Some(found) = recorded(&self.chain, &remote.shown_url()) {
            remote.base.get_or_init(|| found.base);
        } else if let Some(found) = self.base_of_state(remote)? {
            remote.base.get_or_init(|| found.to_owned());
        }
        Ok(())
    }

    /// Returns below which of the two names the remote has this environment's state.
    fn base_of_state(&self, remote: &Remote) -> Result<Option<&'static str>, StateError> {
        let names = [REFS, BRANCHES].map(|base| format!("{base}/state/{}", self.environment));
        match remote.has([&names[0], &names[1]])? {
            [true, true] => Err(StateError::Unusable(format!(
                "{} has two states, {} and {}: delete the one that is not in use",
                remote.shown_url(),
                names[0],
                names[1]
            ))),
            [true, false] => Ok(Some(REFS)),
            [false, true] => Ok(Some(BRANCHES)),
            [false, false] => Ok(None),
        }
    }

    /// Makes sure, before the first revision, that the remote can keep a chain, and how. A state that others keep there
    /// below the other name would be a second one.
    pub(super) fn choose_base(&self, repository: &Repository) -> Result<(), StateError> {
        let Some(remote) = self.remote.as_ref().filter(|_| self.branch.is_none()) else { return Ok(()) };
        if let Some(found) = self.base_of_state(remote)?.filter(|found| *found != self.base()) {
            let url = remote.shown_url();
            return Err(StateError::Unusable(format!("{url} keeps this environment's state below {found}/")));
        }
        if remote.base.get().is_none() {
            let abilities = probe(repository, remote, &self.author)?;
            record(&self.chain, &remote.shown_url(), &abilities)?;
            remote.base.get_or_init(|| abilities.base);
        }
        Ok(())
    }
}

/// Returns what was recorded of a remote. What cannot be read is found out again.
fn recorded(mirror: &Path, url: &str) -> Option<Abilities> {
    let found = records(mirror).remove(url)?;
    [REFS, BRANCHES].contains(&found.base.as_str()).then_some(found)
}

/// Records what a remote can do.
fn record(mirror: &Path, url: &str, abilities: &Abilities) -> Result<(), StateError> {
    let mut records = records(mirror);
    records.insert(url.to_owned(), abilities.clone());
    let path = path(mirror);
    let written = serde_json::to_vec_pretty(&records).map_err(std::io::Error::other);
    let written = written.and_then(|bytes| file::replace(&path, &bytes));
    written.map_err(|error| StateError::Local(format!("{} cannot be written: {error}", path.display())))
}

fn records(mirror: &Path) -> BTreeMap<String, Abilities> {
    let bytes = file::read(&path(mirror)).ok().flatten();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn path(mirror: &Path) -> PathBuf {
    mirror.with_file_name("remotes.json")
}

/// Finds out what a remote can do: creates a ref, moves it, fails to move it from where it is not, deletes it.
///
/// # Errors
/// [`StateError::Refused`]: neither refs of our own nor branches can be created and moved.
/// [`StateError::Unusable`]: the remote moves a ref from where it is not.
fn probe(repository: &Repository, remote: &Remote, author: &Author) -> Result<Abilities, StateError> {
    let commits =
        commits(repository, author).map_err(|error| failed("cannot write what to probe with", &error))?;
    match probe_below(REFS, remote, commits) {
        Err(StateError::Refused(first)) => match probe_below(BRANCHES, remote, commits) {
            Err(StateError::Refused(second)) => {
                Err(StateError::Refused(format!("{first}; and below {BRANCHES}/ {second}")))
            }
            other => other,
        },
        other => other,
    }
}

/// A first commit and two that follow it.
fn commits(repository: &Repository, author: &Author) -> Result<[Oid; 3], git2::Error> {
    let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
    let signature = author.signature()?;
    let nonce = random::bytes::<16>().map(hex::encode).unwrap_or_default();
    let write = |name: &str, parent: Option<Oid>| {
        let parent = parent.map(|oid| repository.find_commit(oid)).transpose()?;
        let parents: Vec<_> = parent.iter().collect();
        let message = format!("Probe what the remote can do: {name}\n\nNonce: {nonce}\n");
        repository.commit(None, &signature, &signature, &message, &tree, &parents)
    };
    let first = write("first", None)?;
    Ok([first, write("second", Some(first))?, write("rival", Some(first))?])
}

fn probe_below(
    base: &str,
    remote: &Remote,
    [first, second, rival]: [Oid; 3],
) -> Result<Abilities, StateError> {
    let scratch = format!("{base}/probe/{first}");
    let push = |expected, new, options: &[&str]| remote.push(&scratch, expected, new, options);
    let require = |expected, new| {
        let output = push(expected, new, &[])?;
        if output.success { Ok(()) } else { Err(remote.failed(remote.answer(&output))) }
    };
    require(None, Some(first))?;
    let moved = require(Some(first), Some(second));
    let compares = moved.is_ok() && !push(Some(first), Some(rival), &[])?.success;
    // The ref is deleted in any case: `atomic` is a property of the server that any push can ask for.
    let expected = Some(if moved.is_ok() { second } else { first });
    let deleted = push(expected, None, &["--atomic"])?;
    let atomic = deleted.success || remote.answer(&deleted).fault == Fault::Refused;
    let delete = deleted.success || push(expected, None, &[])?.success;
    moved?;
    match compares {
        true => Ok(Abilities { atomic, base: base.to_owned(), delete }),
        false => Err(StateError::Unusable(format!(
            "{} moves a ref from where it is not: of two runs at once one would be lost",
            remote.shown_url()
        ))),
    }
}
