//! A remote, reached through the user's `git` from a bare mirror that holds nothing but states.
//!
//! `git` never runs inside the user's repository: its configuration, hooks, worktree, shallow boundary and
//! partial objects have no part in this.

use std::path::{Path, PathBuf};

use engine_core::ports::{Revision, StateError};
use git2::{Oid, Repository};

use super::child::{self, Environment, Output};
use super::{chain, commit, configuration, local};
use crate::line::single_line;

/// How often a push is repeated when the remote did not move and says that the ref is busy.
const ATTEMPTS: u32 = 5;

/// A remote and the way to it.
pub(super) struct Remote {
    fetch_url: String,
    push_url: String,
    mirror: PathBuf,
    /// Where relative paths of URLs start.
    base: PathBuf,
    environment: Environment,
    secrets: Vec<String>,
}

/// The names of one chain at both ends.
pub(super) struct Refs<'a> {
    /// At the remote.
    pub(super) theirs: &'a str,
    /// In the mirror.
    pub(super) ours: &'a str,
}

impl Remote {
    /// Finds a remote by its name in the repository's configuration, or takes a URL as it is.
    pub(super) fn new(
        repository: &Repository,
        remote: &str,
        mirror: &Path,
        variables: &Environment,
    ) -> Result<Self, StateError> {
        let configured = |setting: &str| {
            let config = repository.config().ok()?;
            config.get_string(&format!("remote.{remote}.{setting}")).ok()
        };
        let is_url = remote.contains('/') || remote.contains(':');
        let fetch_url = match configured("url") {
            Some(url) => url,
            None if is_url => remote.to_owned(),
            None => {
                let shown = single_line(remote, 80);
                return Err(StateError::Unusable(format!("the repository has no remote `{shown}`")));
            }
        };
        let push_url = configured("pushurl").unwrap_or_else(|| fetch_url.clone());
        check_url(&fetch_url)?;
        check_url(&push_url)?;
        let base = repository.workdir().unwrap_or(repository.path()).to_path_buf();
        let passed = configuration::passed_on(&base, variables)?;
        Ok(Self {
            fetch_url,
            push_url,
            mirror: std::path::absolute(mirror).unwrap_or_else(|_| mirror.to_path_buf()),
            base,
            environment: variables.for_transport(&passed),
            secrets: configuration::secrets(&passed),
        })
    }

    /// Returns the URL that is pushed to, without credentials.
    pub(super) fn shown_url(&self) -> String {
        child::without_user_info(&self.push_url)
    }

    /// Returns the remote's newest commit, fetched into the mirror; `None` when the remote has no such ref.
    pub(super) fn fetch(
        &self,
        repository: &Repository,
        theirs: &str,
        ours: &str,
    ) -> Result<Option<Oid>, StateError> {
        let refs = Refs { theirs, ours };
        let Some(advertised) = self.advertised(&self.fetch_url, theirs)? else {
            return Ok(None);
        };
        if local::tip(repository, ours)? == Some(advertised) {
            return Ok(Some(advertised));
        }
        self.download(&refs, advertised, repository)?;
        // Others may have moved the remote's ref, or the mirror's, in the meantime: the answer is the commit
        // that was asked for, unless a rewritten remote does not have it any more.
        match commit::find(repository, advertised) {
            Ok(_) => Ok(Some(advertised)),
            Err(_) => local::tip(repository, ours),
        }
    }

    fn download(&self, refs: &Refs<'_>, advertised: Oid, repository: &Repository) -> Result<(), StateError> {
        let refspec = format!("+{}:{}", refs.theirs, refs.ours);
        let args =
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", &self.fetch_url, &refspec];
        for attempt in 1..=ATTEMPTS {
            let output = self.git(&args)?;
            // Another process of ours may have held the mirror's ref and fetched the same.
            if output.success || local::tip(repository, refs.ours)? == Some(advertised) {
                return Ok(());
            }
            if attempt == ATTEMPTS || !is_busy(&output) {
                return Err(StateError::Unreachable(self.said(&self.fetch_url, &output)));
            }
            std::thread::sleep(local::pause(20));
        }
        Ok(())
    }

    /// Returns the commit that a URL shows under a ref.
    fn advertised(&self, url: &str, theirs: &str) -> Result<Option<Oid>, StateError> {
        let output = self.git(&["ls-remote", "--quiet", "--", url, theirs])?;
        if !output.success {
            return Err(StateError::Unreachable(self.said(url, &output)));
        }
        // The pattern also matches longer names that end like this one.
        let line = output.stdout.lines().find_map(|line| {
            let (oid, name) = line.split_once('\t')?;
            (name == theirs).then_some(oid)
        });
        line.map(Oid::from_str).transpose().map_err(|_| {
            let url = child::without_user_info(url);
            StateError::Corrupt(format!("{url} shows no commit under {theirs}"))
        })
    }

    /// Moves the remote's ref from one commit to another.
    ///
    /// The remote compares the old commit itself, and nothing is forced: the refspec has no `+`, and the new
    /// commit descends from the old one. Whatever a failed push says, the ref decides: it is read again.
    ///
    /// # Source
    /// git-push(1), `--force-with-lease=<refname>:<expect>`: an empty `<expect>` demands that the ref is not
    /// there yet.
    pub(super) fn advance(
        &self,
        repository: &Repository,
        refs: &Refs<'_>,
        expected: Option<Oid>,
        new: Oid,
    ) -> Result<(), StateError> {
        let old = expected.map_or_else(String::new, |oid| oid.to_string());
        let lease = format!("--force-with-lease={}:{old}", refs.theirs);
        let refspec = format!("{new}:{}", refs.theirs);
        let args = ["push", "--porcelain", "--no-verify", &lease, "--", &self.push_url, &refspec];
        for attempt in 1.. {
            let output = self.git(&args)?;
            if output.success {
                break;
            }
            let found =
                self.advertised(&self.push_url, refs.theirs).map_err(|error| StateError::Unknown {
                    revision: Revision(new.to_string()),
                    reason: format!("the push failed, and then {error}"),
                })?;
            if found == Some(new) {
                break;
            }
            if found != expected {
                return Err(self.moved(repository, refs, expected, found));
            }
            if attempt >= ATTEMPTS || !is_busy(&output) {
                let error = if is_busy(&output) { StateError::Stuck } else { StateError::Refused };
                return Err(error(self.said(&self.push_url, &output)));
            }
            std::thread::sleep(local::pause(20));
        }
        if let Err(error) = local::point(repository, refs.ours, new) {
            tracing::warn!(%error, "the mirror of the state is behind its remote");
        }
        Ok(())
    }

    /// Fetches what the remote has, so that the error can say who put it there.
    fn moved(
        &self,
        repository: &Repository,
        refs: &Refs<'_>,
        expected: Option<Oid>,
        found: Option<Oid>,
    ) -> StateError {
        let fetched = found.and_then(|oid| self.download(refs, oid, repository).err());
        if let Some(error) = fetched {
            tracing::warn!(%error, "the rival revision cannot be fetched");
        }
        chain::moved(repository, expected, found)
    }

    fn git(&self, args: &[&str]) -> Result<Output, StateError> {
        let directory = format!("--git-dir={}", self.mirror.display());
        let args: Vec<_> = [directory.as_str()].into_iter().chain(args.iter().copied()).collect();
        child::run(&self.base, &self.environment, &args)
    }

    /// Returns what `git` said about a remote.
    fn said(&self, url: &str, output: &Output) -> String {
        format!("{}: {}", child::without_user_info(url), output.reason(&self.secrets))
    }
}

/// Tells whether `git` failed on a ref that another process was just moving.
fn is_busy(output: &Output) -> bool {
    let said = format!("{} {}", output.stdout, output.reason(&[]));
    ["failed to update ref", "cannot lock ref", "stale info", "fetch first", "unable to update local ref"]
        .iter()
        .any(|text| said.contains(text))
}

/// Refuses what `git` would take for an option or what would break a message.
fn check_url(url: &str) -> Result<(), StateError> {
    if url.is_empty() || url.starts_with('-') || url.chars().any(char::is_control) {
        let shown = single_line(&child::without_user_info(url), 80);
        return Err(StateError::Unusable(format!("`{shown}` is no URL of a Git remote")));
    }
    Ok(())
}
