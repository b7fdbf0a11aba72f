//! Approvals, each under a ref of its own: an approver needs no lock, and the chain does not move.

use engine_core::digest::Digest;
use engine_core::mark::EnvironmentName;
use engine_core::ports::{Approval, StateError};
use git2::{Oid, Repository};
use jiff::Timestamp;

use super::commit::{self, Author, failed};
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
        Self {
            theirs: format!("{base}/approvals/{environment}/{decision}"),
            ours: format!("refs/terrane/remote-approvals/{environment}/{decision}"),
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

fn message(decision: &Digest) -> String {
    format!("Approve a plan\n\nDecision: {decision}\n")
}
