//! Begins the chain anew, and keeps what was before where it can be found.

use engine_core::ports::{Compacted, Revision, StateError, Stored};
use engine_core::state::State;
use git2::{Oid, Repository};

use super::commit::{self, Draft, Link};
use super::{GitStore, chain, local};

impl GitStore {
    /// Moves the ref from the old chain to one of its newest revisions, written once more behind a root that names
    /// the commit before it. The old chain is kept first.
    pub(super) fn begin_anew(&self, expected: &Stored, keep: usize) -> Result<Option<Compacted>, StateError> {
        if let Some(branch) = &self.branch {
            let environment = &self.environment;
            let reason = format!("{environment} shares branch {branch}: its chain cannot begin anew alone");
            return Err(StateError::Unusable(reason));
        }
        let repository = local::open_durable(&self.chain)?;
        // A fresh mirror has the newest revision alone, and that is no chain of one.
        self.whole(&repository)?;
        let old = chain::oid(&expected.revision)?;
        let tip = commit::read(&commit::find(&repository, old)?)?;
        let Some(kept) = newest(&repository, tip.clone(), keep)? else { return Ok(None) };
        let archive = self.keep_old(&repository, &tip)?;
        let copied = copy(&repository, &kept)?;
        let state = State {
            serial: expected.state.serial + 1,
            epoch: expected.state.epoch + 1,
            ..expected.state.clone()
        };
        let summary = format!("compact: {} revisions kept, the others lie in {archive}", kept.len());
        let draft = Draft {
            summary: &summary,
            restored: copied.map(|_| old),
            previous: copied.is_none().then_some(old),
            ..Draft::default()
        };
        let link = commit::write(&repository, copied, &state, draft, &self.author)?;
        let names = (self.reference(), self.tip_reference());
        self.publish(&repository, (&names.0, &names.1), Some(old), link.oid)?;
        let stored = Stored { revision: Revision(link.oid.to_string()), state: state.clone() };
        self.remember(&chain::Tip { link, state });
        Ok(Some(Compacted { stored, revisions: kept.len() + 1, archive }))
    }

    /// Points a ref at the end of the old chain, and returns its name: the serial, or if another chain of the
    /// environment has ended there the commit as well.
    pub(super) fn keep_old(&self, repository: &Repository, tip: &Link) -> Result<String, StateError> {
        let (theirs, ours) = self.archives();
        let serial = tip.step.serial.to_string();
        let long = format!("{serial}-{:.12}", tip.oid.to_string());
        let keep = |name: &str| {
            let (theirs, ours) = (format!("{theirs}/{name}"), format!("{ours}/{name}"));
            self.publish(repository, (&theirs, &ours), None, tip.oid).map(|()| theirs)
        };
        match keep(&serial) {
            Err(StateError::Moved { .. }) => keep(&long),
            kept => kept,
        }
    }

    fn archives(&self) -> (String, String) {
        let environment = &self.environment;
        (
            format!("{}/archive/{environment}", self.base()),
            format!("refs/terrane/remote-archive/{environment}"),
        )
    }

    /// Runs a walk along the chain; if it fails, once more with the old chains of the remote at hand.
    pub(super) fn with_archives<T>(&self, walk: impl Fn() -> Result<T, StateError>) -> Result<T, StateError> {
        match walk() {
            Err(_) if self.remote.is_some() => {
                self.fetch_archives()?;
                walk()
            }
            walked => walked,
        }
    }

    /// Fetches the old chains of a remote.
    pub(super) fn fetch_archives(&self) -> Result<(), StateError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let (theirs, ours) = self.archives();
        remote.fetch_all(&theirs, &ours)
    }
}

/// Returns the newest revisions, newest first; `None` when there are no others.
fn newest(repository: &Repository, tip: Link, keep: usize) -> Result<Option<Vec<Link>>, StateError> {
    let mut kept = Vec::new();
    let mut next = Some(tip);
    while kept.len() < keep
        && let Some(link) = next.take()
    {
        // Behind a seam there is an old chain already.
        next = if link.parent.is_some() { chain::parent(repository, &link)? } else { None };
        kept.push(link);
    }
    Ok(next.map(|_| kept))
}

/// Writes revisions once more, the oldest of them as a root; returns the newest.
fn copy(repository: &Repository, kept: &[Link]) -> Result<Option<Oid>, StateError> {
    let mut parent = None;
    for link in kept.iter().rev() {
        let previous = if parent.is_none() { link.parent } else { None };
        parent = Some(commit::rewrite(repository, link, parent, previous)?);
    }
    Ok(parent)
}
