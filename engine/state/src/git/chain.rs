//! Reading the chain: nothing that it holds is trusted.

use std::collections::BTreeSet;

use engine_core::mark::EnvironmentName;
use engine_core::ports::{HistoryEntry, Revision, StateError};
use engine_core::state::State;
use git2::{Commit, ObjectType, Oid, Repository, Tree};

use super::commit::{self, Link, PLAIN_FILE};
use super::shared;
use crate::format::{Files, MAX_BYTES, decode};
use crate::line::single_line;
use crate::step::{Step, check_successor};

/// The newest revision.
pub(super) struct Tip {
    pub(super) link: Link,
    pub(super) state: State,
}

/// Reads the state of a commit and checks its link to the one before.
pub(super) fn tip(
    repository: &Repository,
    oid: Oid,
    environment: &EnvironmentName,
) -> Result<Tip, StateError> {
    let found = commit::find(repository, oid)?;
    let link = commit::read(&found)?;
    // What lies behind the seam of a compacted chain need not be at hand.
    if link.parent.is_some() {
        parent(repository, &link)?;
    }
    let state = read(repository, &found)?;
    if state.environment != *environment {
        let reason = format!("it is the state of environment {}", state.environment);
        return Err(broken(oid, &reason));
    }
    if Step::of(&state) != link.step {
        return Err(broken(oid, "its message and its content are of different revisions"));
    }
    Ok(Tip { link, state })
}

/// Returns the link before, which this one must be the successor of.
pub(super) fn parent(repository: &Repository, link: &Link) -> Result<Option<Link>, StateError> {
    let Some(oid) = before(repository, link)? else {
        return Ok(None);
    };
    let parent = commit::read(&commit::find(repository, oid)?)?;
    check_successor(&parent.step, &link.step)
        .map_err(|reason| broken(link.oid, &format!("the chain is broken: {reason}")))?;
    Ok(Some(parent))
}

/// Returns the commit before in the chain, also over the seam of a compacted one; `None` where it begins, or where the
/// mirror ends.
pub(super) fn before(repository: &Repository, link: &Link) -> Result<Option<Oid>, StateError> {
    let before = match commit::environment(&commit::find(repository, link.oid)?) {
        Some(environment) => shared::previous(repository, link.oid, &environment)?,
        None => link.before(),
    };
    Ok(before.filter(|before| !ends_before(repository, link.oid, *before)))
}

/// Tells whether a link and all the commits that it descends from are at hand.
pub(super) fn is_whole(repository: &Repository, from: &Link) -> Result<bool, StateError> {
    let odb = repository.odb().map_err(|error| commit::failed("the objects cannot be read", &error))?;
    let mut next = Some(from.oid);
    while let Some(oid) = next {
        if !odb.exists(oid) {
            return Ok(false);
        }
        next = commit::parents(&commit::find(repository, oid)?).first().copied();
    }
    Ok(true)
}

/// Returns the tree in which a commit keeps the files of the state.
pub(super) fn tree<'a>(repository: &'a Repository, commit: &Commit<'_>) -> Result<Tree<'a>, String> {
    commit::whole(repository, commit.tree_id())?;
    match commit::environment(commit) {
        Some(environment) => shared::tree(repository, commit, &environment),
        None => repository.find_tree(commit.tree_id()).map_err(|error| error.message().to_owned()),
    }
}

/// Tells whether a mirror has been told to end at a commit, so that the one before it is at the remote only.
fn ends_before(repository: &Repository, oid: Oid, before: Oid) -> bool {
    let is_at_hand = repository.odb().is_ok_and(|odb| odb.exists(before));
    let ends = || std::fs::read_to_string(repository.path().join("shallow")).unwrap_or_default();
    !is_at_hand && ends().lines().any(|line| line == oid.to_string())
}

fn read(repository: &Repository, commit: &Commit<'_>) -> Result<State, StateError> {
    let files = || files(repository, &tree(repository, commit)?);
    let files = files().map_err(|reason| broken(commit.id(), &reason))?;
    decode(&files).map_err(|error| match error.is_newer() {
        true => StateError::Newer(format!("commit {}: {error}", commit.id())),
        false => broken(commit.id(), &error.to_string()),
    })
}

/// Tells whether `ancestor` is this link or before it in the chain. The walk ends at the ancestor's serial.
pub(super) fn descends(
    repository: &Repository,
    from: &Link,
    ancestor: Oid,
    serial: u64,
) -> Result<bool, StateError> {
    let mut link = from.clone();
    while link.oid != ancestor && link.step.serial > serial {
        match parent(repository, &link)? {
            Some(parent) => link = parent,
            None => break,
        }
    }
    Ok(link.oid == ancestor)
}

/// Tells whether the chain says that it brought back what `ancestor` is or lies before: then nothing of it is lost,
/// although the chain does not descend from it.
pub(super) fn restores(
    repository: &Repository,
    from: &Link,
    ancestor: Oid,
    serial: u64,
) -> Result<bool, StateError> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(start) = open.pop() {
        let mut next = Some(start);
        while let Some(link) = next.take().filter(|link| seen.insert(link.oid)) {
            if link.oid == ancestor || link.restored == Some(ancestor) {
                return Ok(true);
            }
            // What was brought back may not be at hand here; then only its name counts.
            let restored = link.restored.and_then(|oid| repository.find_commit(oid).ok());
            let restored = restored.and_then(|commit| commit::read(&commit).ok());
            open.extend(restored.filter(|restored| restored.step.serial >= serial));
            next = parent(repository, &link)?;
        }
    }
    Ok(false)
}

/// Returns the chain from a link on, newest first.
pub(super) fn history(
    repository: &Repository,
    newest: Link,
    limit: usize,
) -> Result<Vec<HistoryEntry>, StateError> {
    let mut entries = Vec::new();
    let mut next = Some(newest);
    while let Some(link) = next.take().filter(|_| entries.len() < limit) {
        next = match parent(repository, &link) {
            // The archive has been deleted: the chain begins here.
            Err(_) if link.parent.is_none() => None,
            before => before?,
        };
        entries.push(HistoryEntry {
            revision: Revision(link.oid.to_string()),
            serial: link.step.serial,
            summary: link.summary,
            author: link.author,
            time: link.time,
            plan: link.plan,
            restored: link.restored.map(|oid| Revision(oid.to_string())),
        });
    }
    Ok(entries)
}

/// Returns the commit of a revision.
pub(super) fn oid(revision: &Revision) -> Result<Oid, StateError> {
    Some(&revision.0).filter(|text| text.len() == 40).and_then(|text| Oid::from_str(text).ok()).ok_or_else(
        || {
            let shown = single_line(&revision.0, 80);
            StateError::Invalid(format!("`{shown}` is no revision of a Git store"))
        },
    )
}

/// Returns the error of two runs that rest on the same revision.
pub(super) fn moved(repository: &Repository, expected: Option<Oid>, found: Option<Oid>) -> StateError {
    StateError::Moved { expected: describe(repository, expected), found: describe(repository, found) }
}

/// Returns serial, commit, author, time and summary of a revision, as far as they can be read.
fn describe(repository: &Repository, oid: Option<Oid>) -> String {
    let Some(oid) = oid else {
        return "no state".into();
    };
    let link = commit::find(repository, oid).and_then(|commit| commit::read(&commit));
    let short: String = oid.to_string().chars().take(12).collect();
    link.map_or_else(
        |_| format!("commit {short}"),
        |link| {
            let (serial, author) = (link.step.serial, link.author);
            format!("serial {serial} ({short}) by {author} at {}: {}", link.time, link.summary)
        },
    )
}

fn files(repository: &Repository, tree: &Tree<'_>) -> Result<Files, String> {
    check_entries(tree)?;
    let mut budget = MAX_BYTES;
    let mut content = |name| blob(repository, tree, name, &mut budget);
    let [meta, objects, intents] = Files::NAMES;
    Ok(Files { meta: content(meta)?, objects: content(objects)?, intents: content(intents)? })
}

/// Checks that a tree has as many entries as a state has files.
pub(super) fn check_entries(tree: &Tree<'_>) -> Result<(), String> {
    let expected = Files::NAMES.len();
    if tree.len() == expected {
        return Ok(());
    }
    Err(format!("its tree has {} entries, not {expected}", tree.len()))
}

/// Returns the object of a plain file in a tree.
pub(super) fn plain_file(tree: &Tree<'_>, name: &str) -> Result<Oid, String> {
    let entry = tree.get_name(name).ok_or_else(|| format!("its tree has no {name}"))?;
    match entry.filemode_raw() {
        PLAIN_FILE => Ok(entry.id()),
        mode => Err(format!("{name} has mode {mode:o}, not {PLAIN_FILE:o}")),
    }
}

/// Reads a file of the tree. Its size is known before it is inflated.
pub(super) fn blob(
    repository: &Repository,
    tree: &Tree<'_>,
    name: &str,
    budget: &mut usize,
) -> Result<Vec<u8>, String> {
    let fault = |error: git2::Error| format!("{name}: {}", error.message());
    let oid = plain_file(tree, name)?;
    commit::whole(repository, oid)?;
    let odb = repository.odb().map_err(fault)?;
    let (size, kind) = odb.read_header(oid).map_err(fault)?;
    if kind != ObjectType::Blob {
        return Err(format!("{name} is no file"));
    }
    *budget =
        budget.checked_sub(size).ok_or_else(|| format!("{name} brings the state over {MAX_BYTES} bytes"))?;
    let blob = repository.find_blob(oid).map_err(fault)?;
    Ok(blob.content().to_vec())
}

pub(super) fn broken(oid: Oid, reason: &str) -> StateError {
    StateError::Corrupt(format!("commit {oid}: {}", single_line(reason, 400)))
}
