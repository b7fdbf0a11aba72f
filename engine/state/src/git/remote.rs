//! A remote, reached through the user's `git` from a bare mirror that holds nothing but states.
//!
//! `git` never runs inside the user's repository: its configuration, hooks, worktree, shallow boundary and
//! partial objects have no part in this.

mod many;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use engine_core::ports::{Revision, StateError};
use git2::{Oid, Repository};

use super::answer::{Answer, Fault};
use super::child::{self, Environment, Limits, Output};
use super::{chain, commit, configuration, local};
use crate::line::single_line;

/// How often a push or a fetch is repeated while nothing moves.
const ATTEMPTS: u32 = 6;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A remote and the way to it.
pub(super) struct Remote {
    /// What the names of our refs begin with there, once that is known.
    pub(super) base: OnceLock<String>,
    fetch_url: String,
    push_url: String,
    mirror: PathBuf,
    /// Where relative paths of URLs start.
    directory: PathBuf,
    environment: Environment,
    secrets: Vec<String>,
}

/// The names of one ref at both ends.
#[derive(Clone, Copy)]
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
            base: OnceLock::new(),
            fetch_url,
            push_url,
            mirror: std::path::absolute(mirror).unwrap_or_else(|_| mirror.to_path_buf()),
            directory: base,
            environment: variables.for_transport(&passed),
            secrets: configuration::secrets(&passed),
        })
    }

    /// Returns the URL that is pushed to, without credentials.
    pub(super) fn shown_url(&self) -> String {
        child::without_user_info(&self.push_url)
    }

    /// Returns the remote's newest commit, fetched into the mirror; `None` when the remote has no such ref.
    ///
    /// A mirror that has nothing of it yet gets the newest commit alone.
    pub(super) fn fetch(&self, refs: Refs<'_>) -> Result<Option<Oid>, StateError> {
        let repository = &local::open(&self.mirror)?;
        let [advertised] = self.advertised(&self.fetch_url, [refs.theirs])?;
        let Some(advertised) = advertised else {
            return Ok(None);
        };
        let known = local::tip(repository, refs.ours)?;
        if known == Some(advertised) && commit::find(repository, advertised).is_ok() {
            return Ok(Some(advertised));
        }
        let depth = known.is_none().then_some("--depth=1");
        self.download(repository, refs, depth)?;
        // Others may have moved the remote's ref, or the mirror's, in the meantime: the answer is the commit
        // that was asked for, unless a rewritten remote does not have it any more.
        match commit::find(repository, advertised) {
            Ok(_) => Ok(Some(advertised)),
            Err(_) => local::tip(repository, refs.ours),
        }
    }

    /// Fetches all that lies before the commits that the mirror has of a ref.
    pub(super) fn deepen(&self, refs: Refs<'_>) -> Result<(), StateError> {
        self.download(&local::open(&self.mirror)?, refs, Some("--depth=2147483647"))
    }

    fn download(
        &self,
        repository: &Repository,
        refs: Refs<'_>,
        depth: Option<&str>,
    ) -> Result<(), StateError> {
        let refspec = format!("+{}:{}", refs.theirs, refs.ours);
        let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        args.extend(depth);
        args.extend(["--", &self.fetch_url, &refspec]);
        let before = local::tip(repository, refs.ours)?;
        for attempt in 1.. {
            let output = self.git(&args)?;
            // Another process of ours may have held the mirror's ref and fetched the same.
            if output.success || depth.is_none() && local::tip(repository, refs.ours)? != before {
                break;
            }
            let answer = output.answer(&self.secrets);
            if answer.fault != Fault::Busy || attempt == ATTEMPTS {
                return Err(self.error(&self.fetch_url, answer));
            }
            std::thread::sleep(pause(attempt, output.took));
            if attempt > 1 {
                self.release(refs.ours);
            }
        }
        Ok(())
    }

    /// Removes the locks that a killed process left in the mirror. Nothing rests on them, not even if their holder
    /// lives: the mirror repeats what the remote has, and who loses a lock fetches again.
    fn release(&self, ours: &str) {
        for name in [ours, "packed-refs", "shallow"] {
            let lock = self.mirror.join(format!("{name}.lock"));
            if std::fs::remove_file(&lock).is_ok() {
                tracing::warn!(lock = %lock.display(), "removed a lock that a killed process left behind");
            }
        }
    }

    /// Returns the commits that a URL shows under these refs.
    fn advertised<const N: usize>(
        &self,
        url: &str,
        theirs: [&str; N],
    ) -> Result<[Option<Oid>; N], StateError> {
        let args: Vec<_> = ["ls-remote", "--quiet", "--", url].into_iter().chain(theirs).collect();
        let output = self.git(&args)?;
        if !output.success {
            return Err(self.error(url, output.answer(&self.secrets)));
        }
        let mut found = [None; N];
        for line in output.stdout.lines() {
            let shown = line.split_once('\t').filter(|(oid, _)| oid.len() == 40);
            let shown = shown.and_then(|(oid, name)| Some((Oid::from_str(oid).ok()?, name)));
            let Some((oid, shown)) = shown else {
                let reason = format!("the answer `{}` is none", single_line(line, 80));
                return Err(self.error(url, Answer { fault: Fault::Unreachable, reason }));
            };
            // The pattern also matches longer names that end like this one.
            if let Some(at) = theirs.iter().position(|name| *name == shown) {
                found[at] = Some(oid);
            }
        }
        Ok(found)
    }

    /// Tells which of these refs the remote has.
    pub(super) fn has<const N: usize>(&self, theirs: [&str; N]) -> Result<[bool; N], StateError> {
        Ok(self.advertised(&self.fetch_url, theirs)?.map(|found| found.is_some()))
    }

    /// Moves the remote's ref from one commit to another.
    ///
    /// The remote compares the old commit itself, and nothing is forced: the refspec has no `+`, and the new
    /// commit descends from the old one. Whatever a failed push says, the ref decides: it is read again. The same
    /// commit may be pushed again, because no other run can have made it.
    pub(super) fn advance(
        &self,
        repository: &Repository,
        refs: Refs<'_>,
        expected: Option<Oid>,
        new: Oid,
    ) -> Result<(), StateError> {
        for attempt in 1.. {
            let output = self.push(refs.theirs, expected, Some(new), &[])?;
            if output.success {
                break;
            }
            let answer = output.answer(&self.secrets);
            let found = match self.advertised(&self.push_url, [refs.theirs]) {
                Ok([found]) => found,
                Err(error) if matches!(answer.fault, Fault::Busy | Fault::Broken) => {
                    let reason = format!("{}, and then {error}", self.error(&self.push_url, answer));
                    return Err(StateError::Unknown { revision: Revision(new.to_string()), reason });
                }
                Err(_) => return Err(self.error(&self.push_url, answer)),
            };
            if found == Some(new) {
                break;
            }
            if found != expected {
                return self.judge_rival(repository, refs, (expected, found), new);
            }
            let may_help = matches!(answer.fault, Fault::Busy | Fault::Broken | Fault::Unreachable);
            if !may_help || attempt == ATTEMPTS {
                return Err(match answer.fault {
                    Fault::Broken => {
                        StateError::Unknown { revision: Revision(new.to_string()), reason: answer.reason }
                    }
                    _ => self.error(&self.push_url, answer),
                });
            }
            std::thread::sleep(pause(attempt, output.took));
        }
        if let Err(error) = local::point(repository, refs.ours, new) {
            tracing::warn!(%error, "the mirror of the state is behind its remote");
        }
        Ok(())
    }

    /// Pushes one ref once; without a new commit the ref is deleted.
    ///
    /// # Source
    /// git-push(1), `--force-with-lease=<refname>:<expect>`: an empty `<expect>` demands that the ref is not
    /// there yet.
    pub(super) fn push(
        &self,
        theirs: &str,
        expected: Option<Oid>,
        new: Option<Oid>,
        options: &[&str],
    ) -> Result<Output, StateError> {
        let text = |oid: Option<Oid>| oid.map_or_else(String::new, |oid| oid.to_string());
        let lease = format!("--force-with-lease={theirs}:{}", text(expected));
        let refspec = format!("{}:{theirs}", text(new));
        let mut args = vec!["push", "--porcelain", "--no-verify", &lease];
        args.extend(options);
        args.extend(["--", &self.push_url, &refspec]);
        self.git(&args)
    }

    /// Finds the remote's ref where neither we nor the run before us left it. If it descends from our commit, that
    /// commit landed before its reply was lost, and somebody built on it. Else a rival was first: it is fetched so that
    /// the error can say who.
    fn judge_rival(
        &self,
        repository: &Repository,
        refs: Refs<'_>,
        (expected, found): (Option<Oid>, Option<Oid>),
        new: Oid,
    ) -> Result<(), StateError> {
        let fetched = found.and_then(|_| self.download(repository, refs, None).err());
        if let Some(error) = fetched {
            tracing::warn!(%error, "the rival revision cannot be fetched");
        }
        match found {
            Some(found) if repository.graph_descendant_of(found, new).is_ok_and(|is| is) => Ok(()),
            _ => Err(chain::moved(repository, expected, found)),
        }
    }

    fn git(&self, args: &[&str]) -> Result<Output, StateError> {
        let directory = format!("--git-dir={}", self.mirror.display());
        let args: Vec<_> = [directory.as_str()].into_iter().chain(args.iter().copied()).collect();
        child::run(&self.directory, &self.environment, &args, Limits::of(&self.mirror))
    }

    /// Returns what a failed push says.
    pub(super) fn answer(&self, output: &Output) -> Answer {
        output.answer(&self.secrets)
    }

    /// Returns the error of a remote that failed like this, when nothing was written.
    pub(super) fn failed(&self, answer: Answer) -> StateError {
        self.error(&self.push_url, answer)
    }

    fn error(&self, url: &str, Answer { fault, reason }: Answer) -> StateError {
        let text = format!("{}: {}", child::without_user_info(url), reason);
        match fault {
            Fault::Busy => StateError::Stuck(text),
            Fault::Refused => StateError::Refused(text),
            Fault::Unauthorized => StateError::Unauthorized(text),
            Fault::Unusable => StateError::Unusable(text),
            Fault::Local => StateError::Local(text),
            Fault::Broken | Fault::Unreachable => StateError::Unreachable(text),
        }
    }
}

/// Returns how long to wait before the next attempt: random up to a limit that doubles, so that rivals do not meet
/// again, and that begins with what an attempt takes, so that a remote on the same disk is not waited for in vain.
pub(super) fn pause(attempt: u32, took: Duration) -> Duration {
    let random = crate::random::bytes::<2>().map_or(u16::MAX, u16::from_be_bytes);
    let limit = took.saturating_mul(1 << attempt.min(16)).min(LONGEST_PAUSE);
    limit.mul_f64(f64::from(random) / f64::from(u16::MAX))
}

/// Refuses what `git` or `ssh` would take for an option, and what would break a message or a question for a password.
fn check_url(url: &str) -> Result<(), StateError> {
    let lower = url.to_ascii_lowercase();
    let is_option = url.starts_with('-') || ["://-", "@-", ":-"].iter().any(|start| url.contains(start));
    let encodes_control = lower.split('%').skip(1).any(|rest| {
        let code = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|code| code.is_ascii_control())
    });
    if url.is_empty() || is_option || encodes_control || url.chars().any(char::is_control) {
        let shown = single_line(&child::without_user_info(url), 80);
        return Err(StateError::Unusable(format!("`{shown}` is no URL of a Git remote")));
    }
    Ok(())
}
