//! The newest revision that was ever seen from here: what makes a deleted or rewritten ref noticeable.

use std::path::PathBuf;

use engine_core::mark::Lineage;
use engine_core::ports::StateError;
use git2::{Oid, Repository};
use serde::{Deserialize, Serialize};

use super::chain::{self, Tip};
use super::{commit, local};
use crate::file;

/// The file that keeps the mark.
pub(super) struct HighWater {
    path: PathBuf,
}

/// The mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) lineage: Lineage,
    pub(super) revision: Oid,
    pub(super) serial: u64,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    lineage: String,
    revision: String,
    serial: u64,
}

impl HighWater {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn read(&self) -> Result<Option<Seen>, StateError> {
        let content = file::read(&self.path)
            .map_err(|error| StateError::Local(format!("{} cannot be read: {error}", self.path.display())))?;
        content.map(|bytes| self.parse(&bytes)).transpose()
    }

    fn parse(&self, bytes: &[u8]) -> Result<Seen, StateError> {
        serde_json::from_slice::<Entry>(bytes)
            .ok()
            .and_then(|entry| {
                Some(Seen {
                    lineage: entry.lineage.parse().ok()?,
                    revision: Oid::from_str(&entry.revision).ok()?,
                    serial: entry.serial,
                })
            })
            .ok_or_else(|| {
                let path = self.path.display();
                StateError::Corrupt(format!("{path} is no high-water mark: remove it to start a new one"))
            })
    }

    /// Remembers the newest revision. The mark only guards against faults, so a directory that cannot be
    /// written, as in a read-only checkout, does not fail the read or the write that it follows.
    pub(super) fn write(&self, tip: &Tip) {
        let entry = Entry {
            lineage: tip.link.step.lineage.to_string(),
            revision: tip.link.oid.to_string(),
            serial: tip.link.step.serial,
        };
        let written = serde_json::to_vec(&entry)
            .map_err(std::io::Error::other)
            .and_then(|bytes| file::replace(&self.path, &bytes));
        if let Err(error) = written {
            tracing::warn!(path = %self.path.display(), %error, "the high-water mark cannot be kept");
        }
    }

    /// Checks that the chain still contains what was seen.
    pub(super) fn check(
        &self,
        repository: &Repository,
        seen: &Seen,
        tip: Option<&Tip>,
    ) -> Result<(), StateError> {
        let Seen { revision, serial, .. } = seen;
        let (error, fault): (fn(String) -> StateError, _) = match tip {
            None => (StateError::Missing, "there is no state any more".into()),
            Some(tip) if chain::descends(repository, &tip.link, *revision, *serial)? => return Ok(()),
            Some(Tip { link, .. }) if chain::restores(repository, link, *revision, *serial)? => return Ok(()),
            Some(Tip { link, .. }) if link.step.lineage != seen.lineage => {
                let (found, seen) = (&link.step.lineage, &seen.lineage);
                (StateError::Rewritten, format!("the state has lineage {found} instead of {seen}"))
            }
            Some(Tip { link, .. }) => {
                let (serial, oid) = (link.step.serial, link.oid);
                (StateError::Rewritten, format!("serial {serial} ({oid}) does not descend from it"))
            }
        };
        keep(repository, *revision);
        let accept = match tip {
            None => format!("if the state is meant to be gone, remove {}", self.path.display()),
            Some(Tip { link, .. }) => {
                format!("to go on with what is there now, run `terrane state restore {}`", link.oid)
            }
        };
        Err(error(format!(
            "serial {serial} ({revision}) was seen before, but {fault}; to bring it back, run \
             `terrane state restore {revision}`; {accept}"
        )))
    }
}

/// Keeps the lost commit out of reach of garbage collection, so that it can be restored.
fn keep(repository: &Repository, revision: Oid) {
    let name = format!("refs/terrane/kept/{revision}");
    let kept =
        commit::find(repository, revision).and_then(|commit| local::point(repository, &name, commit.id()));
    if let Err(error) = kept {
        tracing::warn!(%error, "the lost revision cannot be kept");
    }
}
