//! One revision as a commit: three blobs, a tree, a message with trailers.

use engine_core::digest::Digest;
use engine_core::ports::StateError;
use engine_core::state::State;
use git2::{Commit, Oid, Repository, Signature};
use jiff::Timestamp;

use super::{loose, shared};
use crate::format::{Files, encode};
use crate::line::single_line;
use crate::random;
use crate::step::{Step, check_successor, refused};

/// The mode of a plain file in a tree.
pub(super) const PLAIN_FILE: i32 = 0o100_644;

const SUMMARY_LIMIT: usize = 200;

const RUN: &str = "Run";
const PLAN: &str = "Plan";
const RESTORED: &str = "Restored";
const PREVIOUS: &str = "Previous-Root";

/// Who commits.
#[derive(Debug, Clone)]
pub(super) struct Author {
    name: String,
    email: String,
}

impl Author {
    /// Returns the user that Git is configured with, or a neutral one.
    pub(super) fn configured(repository: &Repository) -> Self {
        let configured = repository.signature().ok().and_then(|signature| {
            let name = single_line(signature.name().ok()?, 100);
            let email = single_line(signature.email().ok()?, 100);
            (!name.is_empty() && !email.is_empty()).then_some(Self { name, email })
        });
        configured.unwrap_or_else(|| Self { name: "terrane".into(), email: "terrane@localhost".into() })
    }

    pub(super) fn signature(&self) -> Result<Signature<'static>, git2::Error> {
        Signature::now(&self.name, &self.email)
    }
}

/// What a commit says of its revision without its tree being read.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) oid: Oid,
    pub(super) parent: Option<Oid>,
    pub(super) step: Step,
    pub(super) summary: String,
    pub(super) author: String,
    /// RFC 3339.
    pub(super) time: String,
    /// The decision digest of the plan that it carries out.
    pub(super) plan: Option<Digest>,
    /// The commit whose content it brings back.
    pub(super) restored: Option<Oid>,
    /// Of a commit without a parent: the commit that the chain had before it.
    pub(super) previous: Option<Oid>,
}

impl Link {
    /// Returns the commit before, also over the seam of a compacted chain.
    pub(super) fn before(&self) -> Option<Oid> {
        self.parent.or(self.previous)
    }
}

/// What a commit is to say of itself, beside what its state says.
#[derive(Clone, Copy, Default)]
pub(super) struct Draft<'a> {
    pub(super) summary: &'a str,
    pub(super) plan: Option<&'a Digest>,
    pub(super) restored: Option<Oid>,
    pub(super) previous: Option<Oid>,
}

/// Writes a revision behind `parent`. No ref is moved.
pub(super) fn write(
    repository: &Repository,
    parent: Option<Oid>,
    next: &State,
    draft: Draft<'_>,
    author: &Author,
) -> Result<Link, StateError> {
    let step = Step::of(next);
    if let Some(before) = parent.or(draft.previous) {
        check_successor(&read(&find(repository, before)?)?.step, &step).map_err(refused)?;
    }
    let parent = parent.map(|oid| find(repository, oid)).transpose()?;
    let files = encode(next).map_err(refused)?;
    let message = message(next, draft)?;
    let written = write_objects(repository, &files, &message, parent.as_ref(), author);
    let oid = written.map_err(|error| failed("cannot write the revision", &error))?;
    read(&find(repository, oid)?)
}

fn write_objects(
    repository: &Repository,
    files: &Files,
    message: &str,
    parent: Option<&Commit<'_>>,
    author: &Author,
) -> Result<Oid, git2::Error> {
    let tree = repository.find_tree(write_files(repository, files)?)?;
    let signature = author.signature()?;
    let parents: Vec<_> = parent.into_iter().collect();
    repository.commit(None, &signature, &signature, message, &tree, &parents)
}

/// Writes the files of a state as a tree.
pub(super) fn write_files(repository: &Repository, files: &Files) -> Result<Oid, git2::Error> {
    let mut tree = repository.treebuilder(None)?;
    for (name, content) in Files::NAMES.into_iter().zip(files.contents()) {
        tree.insert(name, repository.blob(content)?, PLAIN_FILE)?;
    }
    tree.write()
}

/// The nonce makes every commit unique: a push that finds the remote at this very commit is known to be the
/// one that put it there.
pub(super) fn message(state: &State, draft: Draft<'_>) -> Result<String, StateError> {
    let nonce = random::bytes::<16>()
        .map_err(|error| StateError::Local(format!("the system gives no random bytes: {error}")))?;
    let summary = match single_line(draft.summary, SUMMARY_LIMIT) {
        empty if empty.is_empty() => "Advance the state".into(),
        summary => summary,
    };
    let mut message = format!(
        "{summary}\n\nLineage: {}\nSerial: {}\nEpoch: {}\n",
        state.lineage, state.serial, state.epoch
    );
    let run = state.holder.as_ref().map(|holder| single_line(&holder.run, 100));
    let trailers = [
        (RUN, run.filter(|run| !run.is_empty())),
        (PLAN, draft.plan.map(Digest::to_string)),
        (RESTORED, draft.restored.map(|oid| oid.to_string())),
        (PREVIOUS, draft.previous.map(|oid| oid.to_string())),
        ("Nonce", Some(hex::encode(nonce))),
    ];
    for (name, value) in trailers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        message.push_str(&format!("{name}: {value}\n"));
    }
    Ok(message)
}

/// Finds a commit of the chain.
pub(super) fn find(repository: &Repository, oid: Oid) -> Result<Commit<'_>, StateError> {
    let fault = |reason: &str| {
        let reason = single_line(reason, 200);
        StateError::Corrupt(format!("commit {oid} of the chain is missing or broken: {reason}"))
    };
    whole(repository, oid).map_err(|reason| fault(&reason))?;
    repository.find_commit(oid).map_err(|error| fault(error.message()))
}

/// Checks that an object can be read to its end.
pub(super) fn whole(repository: &Repository, oid: Oid) -> Result<(), String> {
    match loose::is_whole(repository, oid) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("the file of object {oid} is damaged")),
        Err(error) => Err(format!("the file of object {oid} cannot be read: {error}")),
    }
}

/// Returns the parents that a commit names, whatever a file of grafts or the end of a shallow history say.
pub(super) fn parents(commit: &Commit<'_>) -> Vec<Oid> {
    let header = String::from_utf8_lossy(commit.raw_header_bytes());
    header.lines().filter_map(|line| Oid::from_str(line.strip_prefix("parent ")?).ok()).collect()
}

/// Returns the environment that a commit of a shared branch names.
pub(super) fn environment(commit: &Commit<'_>) -> Option<String> {
    trailer(commit.message().ok()?, shared::TRAILER).map(str::to_owned)
}

/// Reads what a commit says of itself.
pub(super) fn read(commit: &Commit<'_>) -> Result<Link, StateError> {
    let fault = |reason: &str| StateError::Corrupt(format!("commit {}: {reason}", commit.id()));
    let parents = parents(commit);
    if parents.len() > 1 {
        return Err(fault("it has more than one parent, the chain must be linear"));
    }
    let message = commit.message().map_err(|_| fault("its message is not UTF-8"))?;
    let trailer = |name: &str| trailer(message, name).ok_or_else(|| fault(&no_trailer(name)));
    let number = |name: &str| {
        let text = trailer(name)?;
        text.parse().map_err(|_| fault(&no_trailer(name)))
    };
    let step = Step {
        lineage: trailer("Lineage")?.parse().map_err(|_| fault(&no_trailer("Lineage")))?,
        serial: number("Serial")?,
        epoch: number("Epoch")?,
    };
    let commit_in = |name: &str| match self::trailer(message, name) {
        None => Ok(None),
        Some(text) => match Oid::from_str(text).ok().filter(|_| text.len() == 40) {
            Some(oid) => Ok(Some(oid)),
            None => Err(fault(&no_trailer(name))),
        },
    };
    let author = commit.author();
    let author = format!(
        "{} <{}>",
        String::from_utf8_lossy(author.name_bytes()),
        String::from_utf8_lossy(author.email_bytes())
    );
    Ok(Link {
        oid: commit.id(),
        parent: parents.first().copied(),
        step,
        summary: single_line(message.lines().next().unwrap_or_default(), SUMMARY_LIMIT),
        author: single_line(&author, 200),
        time: Timestamp::from_second(commit.time().seconds())
            .map_or_else(|_| "an unknown time".into(), |time| time.to_string()),
        // What a person reads decides nothing: a digest that is none is none.
        plan: self::trailer(message, PLAN).and_then(|text| text.parse().ok()),
        restored: commit_in(RESTORED)?,
        previous: commit_in(PREVIOUS)?,
    })
}

fn no_trailer(name: &str) -> String {
    format!("its message has no valid `{name}` trailer")
}

/// Writes a commit once more with another commit before it: the same files, author, time and message.
pub(super) fn rewrite(
    repository: &Repository,
    link: &Link,
    parent: Option<Oid>,
    previous: Option<Oid>,
) -> Result<Oid, StateError> {
    let commit = find(repository, link.oid)?;
    let said = commit.message().unwrap_or_default().trim_end();
    let kept = said.lines().filter(|line| !line.starts_with(PREVIOUS)).collect::<Vec<_>>().join("\n");
    let seam = previous.map_or_else(String::new, |oid| format!("{PREVIOUS}: {oid}\n"));
    let message = format!("{kept}\n{seam}");
    let parent = parent.map(|oid| find(repository, oid)).transpose()?;
    let written = || {
        let parents: Vec<_> = parent.iter().collect();
        let (author, committer) = (commit.author(), commit.committer());
        repository.commit(None, &author, &committer, &message, &commit.tree()?, &parents)
    };
    written().map_err(|error| failed("cannot write the revision", &error))
}

/// Returns a trailer's value: trailers are the lines of the last paragraph, never of the first.
fn trailer<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let (_, last) = message.trim_end().rsplit_once("\n\n")?;
    let mut values = last.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// Returns the error of a Git operation that failed for reasons of the world.
pub(super) fn failed(what: &str, error: &git2::Error) -> StateError {
    StateError::Local(format!("{what}: {}", single_line(error.message(), 300)))
}
