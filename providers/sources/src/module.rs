//! Fetches one commit of another repository: a module that a definition pins.

use std::path::Path;

use crate::git::Git;
use crate::{Commit, Export, Links, SourceError};

/// The ref that what is fetched gets in our repository.
const FETCHED: &str = "refs/terrane/module";

/// Which commit of which repository.
#[derive(Debug, Clone, Copy)]
pub struct Pinned<'a> {
    /// The repository.
    pub url: &'a str,
    /// A tag, a branch or a commit.
    pub reference: &'a str,
    /// The commit that the ref must stand for, or did when it was locked.
    pub commit: Option<&'a str>,
}

/// Fetches a commit with a bare repository in `work` and writes its tree into `into`; both are empty directories.
///
/// # Errors
/// Git cannot fetch it, or the tree holds submodules, links that lead out of it, or what [`crate::Repository::export`]
/// refuses.
pub fn fetch_module(pinned: Pinned<'_>, work: &Path, into: &Path) -> Result<Commit, SourceError> {
    let failed = |what: String| move |source| SourceError::Git { what, source };
    let repository = git2::Repository::init_bare(work).map_err(failed("make a repository".to_owned()))?;
    let git = Git::new(work)?;
    fetch(&git, pinned)?;
    let what = || format!("find {} in {}", pinned.commit.unwrap_or(pinned.reference), pinned.url);
    let name = pinned.commit.unwrap_or(FETCHED);
    let found = repository.revparse_single(name).and_then(|object| object.peel_to_commit());
    let commit = found.map_err(failed(what()))?;
    let tree = commit.tree().map_err(failed(what()))?;
    Export { git: &repository, links: Links::Inside, files: 0, bytes: 0 }.tree(&tree, into, 0)?;
    Ok(Commit(commit.id()))
}

/// A server need not give a commit by its name alone: then everything is fetched.
fn fetch(git: &Git<'_>, pinned: Pinned<'_>) -> Result<(), SourceError> {
    let one = pinned.commit.unwrap_or(pinned.reference);
    let only = format!("+{one}:{FETCHED}");
    let shallow = git.run(&["fetch", "--quiet", "--no-tags", "--depth=1", "--", pinned.url, &only]);
    let is_commit = one.len() == 40 && one.bytes().all(|byte| byte.is_ascii_hexdigit());
    match shallow {
        Err(_) if is_commit => {
            let all = ["+refs/heads/*:refs/terrane/heads/*", "+refs/tags/*:refs/terrane/tags/*"];
            git.run(&["fetch", "--quiet", "--no-tags", "--", pinned.url, all[0], all[1]])?;
            git.run(&["update-ref", FETCHED, one]).map(drop)
        }
        outcome => outcome.map(drop),
    }
}

#[cfg(test)]
mod tests;
