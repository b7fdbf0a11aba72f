//! Approvals, each under a ref of its own: an approver needs no lock, and the chain does not move.

use std::collections::BTreeMap;

use engine_core::digest::Digest;
use engine_core::mark::EnvironmentName;
use engine_core::ports::{Approval, StateError};
use git2::{Oid, Repository};
use jiff::Timestamp;

use super::commit::{self, Author, failed};
use super::remote::Remote;
use crate::line::single_line;

/// What the ref of an approval is called.
pub(super) struct Names {
    /// Where the truth is: `refs/terrane/approvals/<environment>/<decision>`, or the same below `refs/heads/terrane`.
    pub(super) theirs: String,
    /// In the mirror of a remote.
    pub(super) ours: String,
}

impl Names {
    pub(super) fn new(base: &str, environment: &EnvironmentName, decision: &Digest) -> Self {
        let Self { theirs, ours } = Self::below(base, environment);
        Self { theirs: format!("{theirs}/{decision}"), ours: format!("{ours}/{decision}") }
    }

    /// Returns what the names of all approvals begin with.
    pub(super) fn below(base: &str, environment: &EnvironmentName) -> Self {
        Self {
            theirs: format!("{base}/approvals/{environment}"),
            ours: format!("refs/terrane/remote-approvals/{environment}"),
        }
    }
}

/// Writes an approval as a commit without a parent and without files. No ref is moved.
pub(super) fn write(repository: &Repository, decision: &Digest, author: &Author) -> Result<Oid, StateError> {
    let write = || {
        let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
        let signature = author.signature()?;
        repository.commit(None, &signature, &signature, &message(decision), &tree, &[])
    };
    write().map_err(|error| failed("cannot write the approval", &error))
}

/// Reads an approval, which must be that of this decision.
pub(super) fn read(repository: &Repository, oid: Oid, decision: &Digest) -> Result<Approval, StateError> {
    let commit = commit::find(repository, oid)?;
    if commit.message().ok() != Some(&message(decision)) {
        return Err(StateError::Corrupt(format!("commit {oid} is not the approval of {decision}")));
    }
    let author = commit.author();
    let who = format!(
        "{} <{}>",
        String::from_utf8_lossy(author.name_bytes()),
        String::from_utf8_lossy(author.email_bytes())
    );
    let time = Timestamp::from_second(commit.time().seconds());
    Ok(Approval {
        who: single_line(&who, 200),
        time: time.map_or_else(|_| "an unknown time".into(), |time| time.to_string()),
    })
}

/// Reads all approvals of an environment.
pub(super) fn all(
    repository: &Repository,
    names: Names,
    remote: Option<&Remote>,
) -> Result<BTreeMap<Digest, Approval>, StateError> {
    let mut below = names.theirs;
    if let Some(remote) = remote {
        remote.fetch_all(&below, &names.ours)?;
        below = names.ours;
    }
    let unreadable = |error: git2::Error| failed("the approvals cannot be read", &error);
    let mut found = BTreeMap::new();
    for reference in repository.references_glob(&format!("{below}/*")).map_err(unreadable)? {
        let reference = reference.map_err(unreadable)?;
        let decision = reference.name().ok().and_then(|name| name.rsplit('/').next()?.parse().ok());
        if let (Some(decision), Some(oid)) = (decision, reference.target()) {
            found.insert(decision, read(repository, oid, &decision)?);
        }
    }
    Ok(found)
}

fn message(decision: &Digest) -> String {
    format!("Approve a plan\n\nDecision: {decision}\n")
}
